"""Writes `functions_between_layers.zip`: models with one function of TensorFlow or op of Keras 3 between layers.

Run it where all three are installed (TensorFlow 2.21, tf_keras 2.21.0, Keras 3.15.1): it starts itself once for each
way of writing: `eager` gives TFOpLambda and SlicingOpLambda, `graph` TensorFlowOpLayer, `keras3` operations of Keras 3.
Each expression is a function of `a` and `b`, of shape (3, 4); the config and the numbers that the writer computed are
kept. What tf.keras does not write whole (`LOST`) is kept without numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np

FILE = Path(__file__).with_name("functions_between_layers.zip")
WAYS = ("eager", "graph", "keras3")
DROPPED = ("build_config", "compile_config", "keras_version", "backend", "trainable", "ragged", "sparse", "optional")

EAGER = """
    tf.math.abs(a) ; tf.math.acos(a) ; tf.math.acosh(a+1) ; tf.math.add(a,b) ; tf.math.add_n([a,b,a]) ; tf.math.angle(a)
    ; tf.math.argmax(a,1) ; tf.math.argmin(a,axis=-1) ; tf.math.asin(a) ; tf.math.asinh(a) ; tf.math.atan(a) ;
    tf.math.atan2(a,b) ; tf.math.atanh(a) ; tf.math.bessel_i0(a) ; tf.math.ceil(a*3) ; tf.math.cos(a) ; tf.math.cosh(a)
    ; tf.math.count_nonzero(a>0.5,axis=1) ; tf.math.cumprod(a,axis=1) ; tf.math.cumsum(a,axis=1,exclusive=True) ;
    tf.math.cumsum(a,1,reverse=True) ; tf.math.divide(a,b) ; tf.math.divide_no_nan(a,b) ; tf.math.equal(a,b) ;
    tf.math.erf(a) ; tf.math.erfc(a) ; tf.math.exp(a) ; tf.math.expm1(a) ; tf.math.floor(a*3) ; tf.math.floordiv(a,b) ;
    tf.math.floormod(a,b) ; tf.math.greater(a,b) ; tf.math.in_top_k(tf.argmax(a,1),b,2) ; tf.math.is_finite(a) ;
    tf.math.is_inf(a) ; tf.math.is_nan(a) ; tf.math.l2_normalize(a,axis=1) ; tf.math.log(a) ; tf.math.log1p(a) ;
    tf.math.log_sigmoid(a) ; tf.math.log_softmax(a) ; tf.math.logical_and(a>.5,b>.5) ; tf.math.logical_not(a>.5) ;
    tf.math.logical_or(a>.5,b>.5) ; tf.math.logical_xor(a>.5,b>.5) ; tf.math.maximum(a,b) ; tf.math.minimum(a,b) ;
    tf.math.mod(a,b) ; tf.math.multiply(a,b) ; tf.math.multiply_no_nan(a,b) ; tf.math.negative(a) ; tf.math.pow(a,2.0) ;
    tf.math.pow(a,b) ; tf.math.reciprocal(a) ; tf.math.reciprocal_no_nan(a) ; tf.math.reduce_all(a>.1,axis=1) ;
    tf.math.reduce_any(a>.9,axis=1,keepdims=True) ; tf.math.reduce_euclidean_norm(a,axis=1) ;
    tf.math.reduce_logsumexp(a,axis=1) ; tf.math.reduce_max(a,axis=1) ; tf.math.reduce_mean(a,axis=[1],keepdims=True) ;
    tf.math.reduce_min(a,1) ; tf.math.reduce_prod(a,1) ; tf.math.reduce_std(a,1) ; tf.math.reduce_sum(a,1) ;
    tf.math.reduce_variance(a,1) ; tf.math.rint(a*3) ; tf.math.round(a*3) ; tf.math.rsqrt(a) ; tf.math.scalar_mul(2.0,a)
    ; tf.math.sigmoid(a) ; tf.math.sign(a-.5) ; tf.math.sin(a) ; tf.math.sinh(a) ; tf.math.softmax(a,axis=1) ;
    tf.math.softplus(a) ; tf.math.softsign(a) ; tf.math.sqrt(a) ; tf.math.square(a) ; tf.math.squared_difference(a,b) ;
    tf.math.subtract(a,b) ; tf.math.tan(a) ; tf.math.tanh(a) ; tf.math.top_k(a,2).values ; tf.math.truediv(a,b) ;
    tf.math.unsorted_segment_sum(a,[0,1,0],2) ; tf.math.segment_sum(a,[0,0,1]) ; tf.math.xdivy(a,b) ; tf.math.xlogy(a,b)
    ; tf.math.xlog1py(a,b) ; tf.math.zero_fraction(a) ; tf.math.accumulate_n([a,b]) ; tf.math.conj(a) ; tf.math.real(a)
    ; tf.math.cumulative_logsumexp(a,axis=1) ; tf.math.erfinv(a) ; tf.math.ndtri(a) ;
    tf.math.confusion_matrix(tf.argmax(a,1),tf.argmax(b,1),4) ; tf.math.bincount(tf.argmax(a,1),minlength=4,maxlength=4)
    ; a+b ; a-b ; a*b ; a/b ; a//b ; a%b ; a**b ; a**2 ; 2**a ; -a ; abs(a) ; a>b ; a>=b ; a<b ; a<=b ;
    a@tf.transpose(b) ; a@C ; 2-a ; 2/a ; 1+a ; ~(a>.5) ; (a>.5)&(b>.5) ; (a>.5)|(b>.5) ; (a>.5)^(b>.5) ; a[0] ; a[:,1:]
    ; a[...,None] ; a[:,tf.newaxis,:] ; a[:,::-1] ; a[1:,:2] ; a[-1] ; a[:,-1:] ; a[:, tf.argmax(b,1)[0]] ;
    a[:tf.shape(a)[0]//2+1] ; tf.nn.relu(a-.5) ; tf.nn.relu6(a*9) ; tf.nn.elu(a-.5) ; tf.nn.selu(a-.5) ;
    tf.nn.crelu(a-.5) ; tf.nn.leaky_relu(a-.5,alpha=.1) ; tf.nn.leaky_relu(a-.5) ; tf.nn.gelu(a) ;
    tf.nn.gelu(a,approximate=True) ; tf.nn.silu(a) ; tf.nn.swish(a) ; tf.nn.sigmoid(a) ; tf.nn.tanh(a) ;
    tf.nn.softmax(a) ; tf.nn.softmax(a,axis=1) ; tf.nn.log_softmax(a) ; tf.nn.softplus(a) ; tf.nn.softsign(a) ;
    tf.nn.l2_normalize(a,1) ; tf.nn.l2_loss(a) ; tf.nn.bias_add(a,[.1,.2,.3,.4]) ; tf.nn.moments(a,[1])[1] ;
    tf.nn.moments(a,axes=[1],keepdims=True)[0] ; tf.nn.dropout(a,0.0) ; tf.nn.top_k(a,2)[0] ;
    tf.nn.in_top_k(tf.argmax(a,1),b,2) ; tf.nn.zero_fraction(a) ;
    tf.nn.sigmoid_cross_entropy_with_logits(labels=a,logits=b) ;
    tf.nn.softmax_cross_entropy_with_logits(labels=a,logits=b) ;
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.argmax(a,1),logits=b) ;
    tf.nn.weighted_cross_entropy_with_logits(a,b,2.0) ; tf.nn.log_poisson_loss(a,b) ;
    tf.nn.embedding_lookup(C,tf.argmax(a,1)) ; tf.nn.batch_normalization(a,.5,.2,.1,2.,1e-3) ;
    tf.nn.normalize_moments(3.,a,b,None)[0] ; tf.nn.scale_regularization_loss(a) ; tf.reshape(a,[-1,2,2]) ;
    tf.reshape(a,[tf.shape(a)[0],4,1]) ; tf.reshape(a,(-1,)) ; tf.transpose(a) ; tf.transpose(a,[1,0]) ;
    tf.transpose(a,perm=[1,0]) ; tf.concat([a,b],1) ; tf.concat([a,b],axis=-1) ; tf.stack([a,b]) ;
    tf.stack([a,b],axis=2) ; tf.unstack(a,axis=1)[0] ; tf.unstack(a,num=4,axis=1)[2] ; tf.split(a,2,axis=1)[0] ;
    tf.split(a,[1,3],axis=1)[1] ; tf.split(a,num_or_size_splits=4,axis=-1)[3] ; tf.tile(a,[1,2]) ; tf.repeat(a,2,axis=1)
    ; tf.repeat(a,[1,2,1,1],axis=1) ; tf.expand_dims(a,1) ; tf.expand_dims(a,axis=-1) ; tf.squeeze(tf.expand_dims(a,1))
    ; tf.squeeze(tf.expand_dims(a,1),[1]) ; tf.cast(a,tf.float64) ; tf.cast(a*5,"int32") ; tf.cast(a>.5,tf.float32) ;
    tf.shape(a) ; tf.shape(a)[1] ; tf.size(a) ; tf.rank(a) ; tf.zeros_like(a) ; tf.ones_like(a) ;
    tf.ones_like(a,dtype="int32") ; tf.fill([3,4],a[0,0]) ; tf.zeros([tf.shape(a)[0],2]) ; tf.ones(tf.shape(a)) ;
    tf.range(tf.shape(a)[1]) ; tf.linspace(0.,a[0,0],5) ; tf.eye(tf.shape(a)[0]) ; tf.gather(a,[2,0],axis=1) ;
    tf.gather(a,tf.argmax(b,1)) ; tf.gather(a,tf.argsort(b,1),batch_dims=1) ;
    tf.gather(a,tf.argsort(b,1),axis=1,batch_dims=1) ; tf.gather_nd(a,tf.argsort(b,1)[:,:1],batch_dims=1) ;
    tf.boolean_mask(a,[True,False,True]) ; tf.where(a>.5,a,b) ; tf.where(a>.5,a,0.) ; tf.clip_by_value(a,.2,.6) ;
    tf.clip_by_norm(a,1.) ; tf.clip_by_norm(a,1.,axes=[1]) ; tf.clip_by_value(a,clip_value_min=.1,clip_value_max=.9) ;
    tf.pad(a,[[0,0],[1,2]]) ; tf.pad(a,[[0,0],[1,2]],"REFLECT") ; tf.pad(a,[[0,0],[1,2]],constant_values=3.) ;
    tf.pad(a,[[0,0],[1,2]],mode="SYMMETRIC") ; tf.reverse(a,[1]) ; tf.reverse(a,axis=[0,-1]) ; tf.roll(a,1,1) ;
    tf.roll(a,shift=[1,2],axis=[0,1]) ; tf.slice(a,[0,1],[2,2]) ; tf.slice(a,[0,1],[-1,2]) ;
    tf.strided_slice(a,[0,0],[3,4],[1,2]) ; tf.sort(a) ; tf.sort(a,direction="DESCENDING") ;
    tf.argsort(a,axis=1,direction="DESCENDING") ; tf.argmax(a,1) ; tf.argmax(a,axis=-1,output_type=tf.int32) ;
    tf.one_hot(tf.argmax(a,1),4) ; tf.one_hot(tf.argmax(a,1),depth=4,on_value=2.,off_value=-1.) ; tf.identity(a) ;
    tf.stop_gradient(a) ; tf.broadcast_to(a,[2,3,4]) ; tf.tensordot(a,C,1) ; tf.tensordot(a,C,axes=[[1],[0]]) ;
    tf.matmul(a,b,transpose_b=True) ; tf.matmul(a,b,transpose_a=True) ; tf.matmul(a,C) ; tf.linalg.matmul(a,C) ;
    tf.linalg.matvec(tf.matmul(a,b,transpose_b=True),a[:,0]) ; tf.linalg.diag(a) ; tf.linalg.band_part(a,-1,0) ;
    tf.linalg.norm(a,axis=1) ; tf.norm(a,axis=1) ; tf.norm(a,ord=1,axis=1,keepdims=True) ; tf.linalg.l2_normalize(a,1) ;
    tf.linalg.inv(a[:,:3]+tf.eye(3)) ; tf.linalg.det(a[:,:3]+tf.eye(3)) ; tf.linalg.cross(a[:,:3],b[:,:3]) ;
    tf.linalg.matrix_transpose(a) ; tf.linalg.solve(a[:,:3]+tf.eye(3),b[:,:2]) ; tf.norm(a) ;
    tf.linalg.global_norm([a,b]) ; tf.linalg.adjoint(a) ; tf.linalg.tensordot(a,C,1) ; tf.linalg.eye(3)+a[0,0] ;
    tf.cumsum(a,1) ; tf.abs(a) ; tf.exp(a) ; tf.reduce_mean(a,1) ; tf.reduce_sum(a) ; tf.reduce_max(a,1) ; tf.add(a,b) ;
    tf.subtract(a,b) ; tf.multiply(a,b) ; tf.divide(a,b) ; tf.truediv(a,b) ; tf.floor(a) ; tf.round(a*3) ; tf.sqrt(a) ;
    tf.square(a) ; tf.pow(a,3.) ; tf.sign(a) ; tf.sin(a) ; tf.maximum(a,.5) ; tf.minimum(a,b) ; tf.sigmoid(a) ;
    tf.tanh(a) ; tf.add_n([a,b]) ; tf.reduce_logsumexp(a,1) ; tf.acos(a) ; tf.atan(a) ; tf.searchsorted(tf.sort(a),b) ;
    tf.scatter_nd([[0],[2]],a[:2],[4,4]) ; tf.sequence_mask(tf.argmax(a,1),4) ;
    tf.reverse_sequence(a,[1,2,3],seq_axis=1) ; tf.clip_by_global_norm([a,b],1.)[0][0] ;
    tf.debugging.check_numerics(a,"x") ; tf.ensure_shape(a,[3,4]) ; tf.saturate_cast(a*300,tf.uint8) ; tf.realdiv(a,b) ;
    tf.truncatediv(tf.cast(a*9,"int32"),2) ; tf.truncatemod(a,b) ;
    tf.required_space_to_batch_paddings([4],[2])[0]+0*tf.cast(a[0,0],"int32") ; tf.image.resize(IMAGES,[4,4]) ;
    tf.image.resize(IMAGES,(4,4),method="nearest") ; tf.image.flip_left_right(IMAGES) ; tf.image.flip_up_down(IMAGES) ;
    tf.image.rot90(IMAGES) ; tf.image.adjust_brightness(IMAGES,.1) ; tf.image.adjust_contrast(IMAGES,.5) ;
    tf.image.central_crop(IMAGES,.5) ; tf.image.grayscale_to_rgb(IMAGES) ; tf.image.per_image_standardization(IMAGES) ;
    tf.image.pad_to_bounding_box(IMAGES,1,1,4,4) ; tf.image.crop_to_bounding_box(IMAGES,0,0,1,1) ;
    tf.image.convert_image_dtype(a,tf.uint8) ; tf.image.total_variation(IMAGES) ;
    tf.image.rgb_to_grayscale(tf.repeat(IMAGES,3,axis=3)) ;
    tf.image.extract_patches(IMAGES,[1,1,1,1],[1,1,1,1],[1,1,1,1],"VALID") ; tf.image.resize_with_pad(IMAGES,3,5) ;
    tf.image.resize_with_crop_or_pad(IMAGES,3,1) ; tf.image.rgb_to_hsv(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])) ;
    tf.image.ssim(IMAGES,tf.reshape(b,[-1,2,2,1]),1.0,filter_size=1) ;
    tf.image.psnr(IMAGES,tf.reshape(b,[-1,2,2,1]),1.0) ; tf.image.transpose(IMAGES) ;
    tf.nn.conv2d(IMAGES,np.ones((1,1,1,3),"float32"),1,"SAME") ;
    tf.nn.conv1d(tf.reshape(a,[-1,4,1]),np.ones((2,1,3),"float32"),1,"VALID") ; tf.nn.max_pool2d(IMAGES,2,2,"VALID") ;
    tf.nn.max_pool(IMAGES,2,1,"SAME") ; tf.nn.avg_pool2d(IMAGES,2,2,"VALID") ; tf.nn.avg_pool(IMAGES,2,1,"SAME") ;
    tf.nn.depth_to_space(tf.reshape(a,[-1,1,1,4]),2) ; tf.nn.space_to_depth(IMAGES,2) ;
    tf.nn.depthwise_conv2d(IMAGES,np.ones((1,1,1,2),"float32"),[1,1,1,1],"SAME") ;
    tf.nn.separable_conv2d(IMAGES,np.ones((1,1,1,2),"float32"),np.ones((1,1,2,2),"float32"),[1,1,1,1],"SAME") ;
    tf.nn.conv2d_transpose(IMAGES,np.ones((2,2,3,1),"float32"),[3,4,4,3],2) ;
    tf.nn.max_pool1d(tf.reshape(a,[-1,4,1]),2,2,"VALID") ; tf.nn.avg_pool1d(tf.reshape(a,[-1,4,1]),2,2,"VALID") ;
    tf.nn.local_response_normalization(tf.reshape(a,[-1,1,1,4])) ; tf.nn.lrn(tf.reshape(a,[-1,1,1,4])) ;
    tf.nn.convolution(IMAGES,np.ones((1,1,1,3),"float32")) ; tf.nn.pool(IMAGES,[2,2],"MAX") ;
    tf.space_to_batch(IMAGES,[2,2],[[0,0],[0,0]]) ; tf.nn.atrous_conv2d(IMAGES,np.ones((1,1,1,3),"float32"),2,"SAME") ;
    tfk.abs(a) ; tfk.all(a>.1,axis=1) ; tfk.any(a>.9,1) ; tfk.argmax(a) ; tfk.batch_dot(a,b,axes=1) ;
    tfk.batch_flatten(tf.reshape(a,[-1,2,2])) ; tfk.bias_add(a,tfk.constant([1.,2.,3.,4.])) ;
    tfk.binary_crossentropy(a,b) ; tfk.categorical_crossentropy(a,b) ; tfk.cast(a,"int32") ; tfk.clip(a,.2,.6) ;
    tfk.concatenate([a,b]) ; tfk.cos(a) ; tfk.cumsum(a,1) ; tfk.cumprod(a,1) ; tfk.dot(a,tfk.constant(C)) ;
    tfk.elu(a-.5) ; tfk.equal(a,b) ; tfk.exp(a) ; tfk.expand_dims(a) ; tfk.flatten(a) ; tfk.gather(a,[0,2]) ;
    tfk.greater(a,b) ; tfk.hard_sigmoid(a) ; tfk.in_train_phase(a,b) ; tfk.l2_normalize(a,1) ; tfk.log(a) ; tfk.max(a,1)
    ; tfk.maximum(a,b) ; tfk.mean(a,axis=1,keepdims=True) ; tfk.min(a,1) ; tfk.not_equal(a,b) ;
    tfk.one_hot(tf.argmax(a,1),4) ; tfk.ones_like(a) ; tfk.permute_dimensions(a,(1,0)) ; tfk.pow(a,2) ; tfk.prod(a,1) ;
    tfk.relu(a-.5) ; tfk.relu(a,alpha=.1,max_value=.6) ; tfk.repeat(a,3) ; tfk.repeat_elements(a,2,1) ;
    tfk.reshape(a,(-1,2,2)) ; tfk.reverse(a,1) ; tfk.round(a*3) ; tfk.shape(a) ; tfk.sigmoid(a) ; tfk.sign(a) ;
    tfk.sin(a) ; tfk.softmax(a) ; tfk.softplus(a) ; tfk.softsign(a) ; tfk.sqrt(a) ; tfk.square(a) ;
    tfk.squeeze(tfk.expand_dims(a,1),1) ; tfk.stack([a,b],1) ; tfk.std(a,1) ; tfk.stop_gradient(a) ; tfk.sum(a,axis=1) ;
    tfk.tanh(a) ; tfk.temporal_padding(tf.reshape(a,[-1,2,2])) ; tfk.tile(a,[1,2]) ; tfk.transpose(a) ; tfk.var(a,1) ;
    tfk.zeros_like(a) ; tfk.resize_images(IMAGES,2,2,"channels_last") ; tfk.spatial_2d_padding(IMAGES) ;
    tfk.sparse_categorical_crossentropy(tf.argmax(a,1),b) ; tfk.int_shape(a)[1]+a ;
    tfk.conv2d(IMAGES,np.ones((1,1,1,3),"float32")) ; tfk.pool2d(IMAGES,(2,2)) ; tfk.arange(4)+tf.cast(a,"int32") ;
    tfk.less(a,b) ; tfk.eye(4)+a[0,0] ; tfk.random_uniform(tfk.shape(a))*0 ; tfk.in_top_k(a,tf.argmax(b,1),2) ;
    tfk.normalize_batch_in_training(a,tfk.constant([1.]*4),tfk.constant([0.]*4),[0])[0] ;
    tfk.batch_normalization(a,tfk.constant(.5),tfk.constant(1.),tfk.constant(0.),tfk.constant(1.)) ; tfk.dropout(a,0.) ;
    tf_keras.activations.relu(a) ; tf_keras.activations.softmax(a) ; tf_keras.activations.gelu(a) ;
    tf_keras.activations.swish(a) ; tf_keras.activations.selu(a) ; tf_keras.activations.elu(a) ;
    tf_keras.activations.hard_sigmoid(a) ; tf_keras.activations.softplus(a) ; tf_keras.activations.exponential(a) ;
    tf_keras.activations.tanh(a) ; tf_keras.activations.mish(a) ; tf_keras.activations.relu(a,alpha=.2) ;
    tf_keras.losses.mse(a,b) ; tf_keras.losses.binary_crossentropy(a,b) ; tf_keras.losses.mean_absolute_error(a,b) ;
    tf_keras.losses.cosine_similarity(a,b) ; tf_keras.losses.kld(a,b) ; tf_keras.losses.huber(a,b) ;
    tf_keras.losses.categorical_crossentropy(a,b) ; tf_keras.losses.MeanSquaredError()(a,b) ;
    tf_keras.applications.imagenet_utils.preprocess_input(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])*255,mode="tf") ;
    tf_keras.applications.imagenet_utils.preprocess_input(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])*255,mode="caffe")
    ;
    tf_keras.applications.imagenet_utils.preprocess_input(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])*255,mode="torch")
    ; tf_keras.applications.mobilenet_v2.preprocess_input(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])*255) ;
    tf_keras.applications.resnet50.preprocess_input(tf.reshape(tf.concat([a,b,a],1),[-1,2,2,3])*255) ;
    tf.experimental.numpy.mean(a,axis=1) ; tf.experimental.numpy.sum(a,axis=1) ; tf.experimental.numpy.log10(a) ;
    tf.experimental.numpy.log2(a) ; tf.experimental.numpy.swapaxes(a,0,1) ;
    tf.experimental.numpy.concatenate([a,b],axis=1) ; tf.signal.frame(a,2,1) ; tf.random.normal(tf.shape(a))*0 ;
    tf.random.uniform(tf.shape(a),0,1)*0 ; tf.random.normal([3,4])*0+a ; tf.random.truncated_normal(tf.shape(a))*0 ;
    tf.compat.v1.reduce_sum(a,1) ; tf.compat.v1.div(a,b) ; tf.compat.v1.to_float(a>.5) ;
    tf.compat.v1.image.resize_bilinear(IMAGES,[4,4]) ; tf.compat.v1.image.resize_nearest_neighbor(IMAGES,[4,4]) ;
    tf.compat.v1.nn.softmax(a) ; tf.compat.v1.expand_dims(a,1) ; tf.compat.v1.squeeze(tf.expand_dims(a,1),1) ;
    tf.raw_ops.Relu(features=a) ; tf.bitwise.bitwise_and(tf.cast(a*9,"int32"),3) ; tf.keras.backend.mean(a)
"""

LOST = """
    a==b ; a!=b ; tf.where(a>.5) ; tf.meshgrid(a[0],b[0])[0] ; tf.einsum("ij,kj->ik",a,b) ; tf.einsum("ij->j",a) ;
    tf.einsum("...i,ij->...j",a,C) ; tf.linalg.einsum("ij,kj->ik",a,b)
"""

GRAPH = """
    a+b ; a-b ; a*2 ; a/b ; a//b ; a%b ; a**2 ; -a ; abs(a-.5) ; a>b ; a@C ; tf.matmul(a,b,transpose_b=True) ;
    tf.matmul(a,b,transpose_a=True) ; tf.matmul(tf.expand_dims(a,1),tf.expand_dims(b,1),transpose_b=True) ; a[:,1:] ;
    a[...,None] ; a[:,0] ; a[:,::-1] ; a[:,:-1] ; tf.math.squared_difference(a,b) ; tf.add_n([a,b]) ; tf.concat([a,b],1)
    ; tf.stack([a,b],1) ; tf.unstack(a,axis=1)[1] ; tf.split(a,2,axis=1)[1] ; tf.split(a,[1,3],axis=1)[0] ;
    tf.reshape(a,[-1,2,2]) ; tf.reshape(a,[tf.shape(a)[0],4,1]) ; tf.transpose(a) ; tf.tile(a,[1,2]) ;
    tf.expand_dims(a,1) ; tf.squeeze(tf.expand_dims(a,1),1) ; tf.cast(a*5,tf.int32) ; tf.reduce_sum(a,1) ;
    tf.reduce_mean(a,[1],keepdims=True) ; tf.reduce_max(a,axis=-1) ; tf.reduce_prod(a,1) ; tf.reduce_any(a>.5,1) ;
    tf.argmax(a,1) ; tf.argmin(a,1,output_type=tf.int32) ; tf.exp(a) ; tf.math.log(a) ; tf.sqrt(a) ; tf.math.rsqrt(a) ;
    tf.sigmoid(a) ; tf.tanh(a) ; tf.nn.relu(a-.5) ; tf.nn.relu6(a*9) ; tf.nn.elu(a-.5) ; tf.nn.selu(a-.5) ;
    tf.nn.leaky_relu(a-.5,.3) ; tf.nn.softmax(a) ; tf.nn.log_softmax(a) ; tf.nn.softplus(a) ;
    tf.nn.bias_add(a,[.1,.2,.3,.4]) ; tf.nn.l2_normalize(a,1) ; tf.nn.moments(a,[1])[1] ; tf.nn.l2_loss(a) ;
    tf.nn.conv2d(IMAGES,np.ones((1,1,1,3),"float32"),1,"SAME") ;
    tf.nn.depthwise_conv2d(IMAGES,np.ones((1,1,1,2),"float32"),[1,1,1,1],"SAME") ; tf.nn.max_pool2d(IMAGES,2,2,"VALID")
    ; tf.nn.avg_pool2d(IMAGES,2,1,"SAME") ; tf.nn.depth_to_space(tf.reshape(a,[-1,1,1,4]),2) ;
    tf.nn.space_to_depth(IMAGES,2) ; tf.nn.lrn(tf.reshape(a,[-1,1,1,4])) ; tf.image.resize(IMAGES,[4,4]) ;
    tf.image.resize(IMAGES,[4,4],method="nearest") ; tf.compat.v1.image.resize_bilinear(IMAGES,[4,4]) ;
    tf.compat.v1.image.resize_bilinear(IMAGES,[4,4],align_corners=True) ;
    tf.compat.v1.image.resize_nearest_neighbor(IMAGES,[4,4]) ; tf.image.flip_left_right(IMAGES) ;
    tf.pad(a,[[0,0],[1,2]]) ; tf.pad(a,[[0,0],[1,2]],constant_values=3.) ; tf.pad(a,[[0,0],[1,2]],"REFLECT") ;
    tf.pad(a,[[0,0],[1,2]],"SYMMETRIC") ; tf.gather(a,[2,0],axis=1) ; tf.where(a>.5,a,b) ; tf.maximum(a,b) ;
    tf.clip_by_value(a,.2,.6) ; tf.one_hot(tf.argmax(a,1),4) ; tf.cumsum(a,1) ; tf.cumsum(a,1,exclusive=True) ;
    tf.cumsum(a,1,reverse=True) ; tf.math.top_k(a,2)[0] ; tf.sort(a) ; tf.argsort(a) ; tf.zeros_like(a) ;
    tf.ones_like(a) ; tf.fill([tf.shape(a)[0],2],3.0) ; tf.range(tf.shape(a)[1]) ; tf.slice(a,[0,1],[-1,2]) ;
    tf.strided_slice(a,[0,0],[3,4],[1,2]) ; tf.reverse(a,[1]) ; tf.roll(a,1,1) ; tf.broadcast_to(a,[2,3,4]) ;
    tf.einsum("bi,bj->bij",a,b) ; tf.einsum("bi,ij->bj",a,C) ; tf.tensordot(a,C,1) ; tf.linalg.diag(a) ;
    tf.linalg.band_part(a,-1,0) ; tf.norm(a,axis=1) ; tf.identity(a) ; tf.stop_gradient(a) ; tf.math.erf(a) ; tf.atan(a)
    ; tf.asin(a) ; tf.atan2(a,b) ; tf.math.xlogy(a,b) ; tf.math.divide_no_nan(a,b) ; tf.reduce_logsumexp(a,1) ;
    tf.nn.sigmoid_cross_entropy_with_logits(labels=a,logits=b) ;
    tf.nn.softmax_cross_entropy_with_logits(labels=a,logits=b) ; tf.space_to_batch(IMAGES,[2,2],[[0,0],[0,0]]) ;
    tf.nn.crelu(a-.5) ; tfk.mean(a,1) ; tfk.batch_dot(a,b,axes=1) ; tfk.dot(a,tfk.constant(C)) ; tfk.hard_sigmoid(a) ;
    tfk.resize_images(IMAGES,2,2,"channels_last") ; tf.math.reciprocal(a) ; tf.repeat(a,2,axis=1) ;
    tf.meshgrid(a[0],b[0])[0] ; tf.logical_and(a>.5,b>.5) ; tf.floor(a*3) ; tf.size(a)
"""

KERAS3 = """
    ops.abs(a) ; ops.absolute(a) ; ops.arccos(a) ; ops.arccosh(a+1) ; ops.arcsin(a) ; ops.arcsinh(a) ; ops.arctan(a) ;
    ops.arctanh(a) ; ops.ceil(a) ; ops.cos(a) ; ops.cosh(a) ; ops.exp(a) ; ops.expm1(a) ; ops.floor(a) ; ops.isfinite(a)
    ; ops.isinf(a) ; ops.isnan(a) ; ops.log(a) ; ops.log10(a) ; ops.log1p(a) ; ops.log2(a) ; ops.logical_not(a) ;
    ops.negative(a) ; ops.ones_like(a) ; ops.zeros_like(a) ; ops.reciprocal(a) ; ops.round(a) ; ops.sign(a) ; ops.sin(a)
    ; ops.sinh(a) ; ops.sqrt(a) ; ops.square(a) ; ops.tan(a) ; ops.tanh(a) ; ops.trunc(a) ; ops.exp2(a) ; ops.cbrt(a) ;
    ops.deg2rad(a) ; ops.rad2deg(a) ; ops.erf(a) ; ops.erfinv(a) ; ops.rsqrt(a) ; ops.relu(a) ; ops.relu6(a) ;
    ops.sigmoid(a) ; ops.sparse_sigmoid(a) ; ops.softplus(a) ; ops.softsign(a) ; ops.silu(a) ; ops.log_sigmoid(a) ;
    ops.leaky_relu(a) ; ops.hard_sigmoid(a) ; ops.hard_silu(a) ; ops.elu(a) ; ops.selu(a) ; ops.gelu(a) ; ops.celu(a) ;
    ops.glu(a) ; ops.tanh_shrink(a) ; ops.hard_tanh(a) ; ops.hard_shrink(a) ; ops.squareplus(a) ; ops.soft_shrink(a) ;
    ops.sparse_plus(a) ; ops.softmax(a) ; ops.log_softmax(a) ; ops.sinc(a) ; ops.i0(a) ; ops.isneginf(a) ;
    ops.isposinf(a) ; ops.signbit(a) ; ops.real(a) ; ops.conj(a) ; ops.angle(a) ; ops.copy(a) ; ops.sort(a) ;
    ops.argmax(a) ; ops.argmin(a) ; ops.max(a) ; ops.min(a) ; ops.mean(a) ; ops.sum(a) ; ops.prod(a) ; ops.std(a) ;
    ops.var(a) ; ops.median(a) ; ops.cumsum(a) ; ops.cumprod(a) ; ops.logsumexp(a) ; ops.diff(a) ; ops.flip(a) ;
    ops.ravel(a) ; ops.transpose(a) ; ops.nan_to_num(a) ; ops.any(a) ; ops.all(a) ; ops.amax(a) ; ops.amin(a) ;
    ops.average(a) ; ops.squeeze(a) ; ops.ptp(a) ; ops.nansum(a) ; ops.nanmean(a) ; ops.nanmax(a) ; ops.stop_gradient(a)
    ; ops.normalize(a) ; ops.rms_normalization(a) ; ops.add(a,b) ; ops.subtract(a,b) ; ops.multiply(a,b) ;
    ops.divide(a,b) ; ops.true_divide(a,b) ; ops.floor_divide(a,b) ; ops.mod(a,b) ; ops.power(a,b) ; ops.maximum(a,b) ;
    ops.minimum(a,b) ; ops.equal(a,b) ; ops.not_equal(a,b) ; ops.less(a,b) ; ops.less_equal(a,b) ; ops.greater(a,b) ;
    ops.greater_equal(a,b) ; ops.arctan2(a,b) ; ops.logaddexp(a,b) ; ops.logaddexp2(a,b) ; ops.hypot(a,b) ;
    ops.heaviside(a,b) ; ops.fmod(a,b) ; ops.logical_and(a,b) ; ops.logical_or(a,b) ; ops.logical_xor(a,b) ;
    ops.divide_no_nan(a,b) ; ops.outer(a,b) ; ops.isclose(a,b) ; ops.append(a,b) ; ops.fmax(a,b) ; ops.fmin(a,b) ;
    ops.matmul(a,ops.transpose(b)) ; ops.dot(a,C) ; ops.einsum("bi,bj->bij",a,b) ; ops.tensordot(a,C,axes=1) ;
    ops.inner(a,b) ; ops.vdot(a,b) ; ops.cross(a[:,:3],b[:,:3]) ; ops.kron(a,b) ; ops.clip(a,.2,.6) ;
    ops.where(a>.5,a,b) ; ops.take(a,[2,0],axis=1) ; ops.take_along_axis(a,ops.argsort(b,axis=1),axis=1) ;
    ops.one_hot(ops.argmax(a,axis=1),4) ; ops.multi_hot(ops.cast(a*3,"int32"),4) ; ops.top_k(a,2)[0] ;
    ops.in_top_k(ops.argmax(a,axis=1),b,2) ; ops.cast(a,"int32") ; ops.reshape(a,(-1,2,2)) ; ops.expand_dims(a,1) ;
    ops.concatenate([a,b],axis=1) ; ops.stack([a,b],axis=1) ; ops.hstack([a,b]) ; ops.vstack([a,b]) ;
    ops.split(a,2,axis=1)[1] ; ops.unstack(a,axis=1)[2] ; ops.tile(a,(1,2)) ; ops.repeat(a,2,axis=1) ;
    ops.roll(a,1,axis=1) ; ops.swapaxes(ops.reshape(a,(-1,2,2)),1,2) ; ops.moveaxis(ops.reshape(a,(-1,2,2)),1,2) ;
    ops.pad(a,((0,0),(1,1))) ; ops.pad(a,((0,0),(1,1)),mode="reflect") ; ops.pad(a,((0,0),(1,1)),constant_values=2.) ;
    ops.pad(a,((0,0),(1,1)),mode="symmetric") ; ops.broadcast_to(a,(2,3,4)) ; ops.flip(a,axis=1) ; ops.rot90(a) ;
    ops.tril(a) ; ops.triu(a) ; ops.diagonal(ops.reshape(a,(-1,2,2)),axis1=1,axis2=2) ;
    ops.trace(ops.reshape(a,(-1,2,2)),axis1=1,axis2=2) ; ops.diag(a[0]) ; ops.searchsorted(ops.sort(a[0]),b[0]) ;
    ops.quantile(a,.3,axis=1) ; ops.bincount(ops.argmax(a,axis=1),minlength=4) ; ops.moments(a,axes=[1])[0] ;
    ops.norm(a,axis=1) ; ops.norm(a,ord=1,axis=1,keepdims=True) ; ops.logdet(ops.reshape(a,(-1,2,2))+ops.eye(2)) ;
    ops.det(ops.reshape(a,(-1,2,2))) ; ops.inv(ops.reshape(a,(-1,2,2))+ops.eye(2)) ;
    ops.solve(ops.reshape(a,(-1,2,2))+ops.eye(2),ops.reshape(a,(-1,2,2))) ;
    ops.cholesky(ops.matmul(ops.reshape(a,(-1,2,2)),ops.transpose(ops.reshape(a,(-1,2,2)),(0,2,1)))+ops.eye(2)) ;
    ops.slice(a,(0,1),(3,2)) ; ops.slice_update(a,(0,1),b[:,:2]) ; ops.saturate_cast(a*300,"uint8") ;
    ops.conv(IMAGES,np.ones((1,1,1,3),"float32")) ; ops.depthwise_conv(IMAGES,np.ones((1,1,1,2),"float32")) ;
    ops.separable_conv(IMAGES,np.ones((1,1,1,2),"float32"),np.ones((1,1,2,2),"float32")) ; ops.max_pool(IMAGES,2) ;
    ops.average_pool(IMAGES,2,strides=1,padding="same") ; ops.binary_crossentropy(a,b) ;
    ops.categorical_crossentropy(a,b) ; ops.sparse_categorical_crossentropy(ops.argmax(a,axis=1),b) ;
    ops.batch_normalization(a,b[0],b[1],axis=-1) ; ops.image.resize(IMAGES,(4,4)) ;
    ops.image.resize(IMAGES,(4,4),interpolation="nearest") ;
    ops.image.rgb_to_grayscale(ops.reshape(ops.concatenate([a,b,a],1),(-1,2,2,3))) ;
    ops.image.rgb_to_hsv(ops.reshape(ops.concatenate([a,b,a],1),(-1,2,2,3))) ; ops.image.extract_patches(IMAGES,(1,1)) ;
    ops.image.affine_transform(IMAGES,np.array([[1,0,0,0,1,0,0,0]],"float32")) ;
    ops.image.map_coordinates(ops.reshape(a,(-1,2,2))[0],ops.stack([a[0]*1,b[0]*1]),order=1) ; ops.psnr(a,b,1.) ;
    ops.fft((a,b))[0] ; ops.rfft(a)[0] ; ops.stft(a,4,2,4)[0] ; ops.extract_sequences(a,2,1) ;
    ops.logical_and(a>.5,b>.5) ; ops.left_shift(ops.cast(a*9,"int32"),1) ; ops.select([a>.5,b>.5],[a,b],0.) ;
    ops.logsumexp(a,axis=1,keepdims=True) ; ops.max(a,axis=1,keepdims=True) ; ops.sum(a,axis=(0,1)) ;
    ops.mean(a,axis=-1) ; ops.full_like(a,2.) ; ops.linspace(a[0],b[0],3) ; ops.logspace(a[0],b[0],3) ;
    ops.cumsum(a,axis=1,dtype="float64") ;
    ops.dot_product_attention(ops.reshape(a,(3,2,1,2)),ops.reshape(b,(3,2,1,2)),ops.reshape(b,(3,2,1,2))) ;
    ops.rearrange(a,"b (c d) -> b d c",c=2) ; ops.depth_to_space(ops.reshape(a,(-1,1,1,4)),2) ;
    ops.space_to_depth(IMAGES,2) ; ops.trapezoid(a) ; ops.vander(a[0]) ; ops.corrcoef(a) ;
    ops.array_split(a,2,axis=1)[0] ; ops.ldexp(a,ops.cast(b*3,"int32")) ; ops.unfold(ops.reshape(a,(-1,1,2,2)),1) ;
    ops.layer_normalization(a,None,None) ; a[:,1:] ; a[...,None] ; a[:,0] ; a+b ; 2-a ; a**2 ; a@C ; abs(a) ; -a ; a//b
    ; a%b ; keras.activations.relu(a) ; keras.activations.gelu(a) ;
    keras.activations.relu(a,negative_slope=.1,max_value=.6) ; keras.activations.softmax(a) ;
    keras.activations.exponential(a) ; keras.activations.swish(a) ; keras.activations.leaky_relu(a)
"""


def inputs():
    random = np.random.RandomState(3)
    return [(random.rand(3, 4) * 0.9 + 0.05).astype("float32") for _ in range(2)]


def expressions(block, images):
    return [" ".join(text.split()).replace("IMAGES", images) for text in block.split(";")]


def slim(value):
    """A config without what all layers have."""
    if isinstance(value, dict):
        return {key: slim(item) for key, item in value.items() if key not in DROPPED}
    return [slim(item) for item in value] if isinstance(value, list) else value


def record_tf(way):
    import tensorflow as tf
    import tf_keras

    if way == "graph":
        tf.compat.v1.disable_eager_execution()
    scope = {"tf": tf, "tf_keras": tf_keras, "tfk": tf_keras.backend, "np": np, "C": np.ones((4, 2), "float32") * 0.5}
    found = {}
    lost = expressions(LOST, "") if way == "eager" else []
    for text in expressions(EAGER if way == "eager" else GRAPH, "tf.reshape(a,[-1,2,2,1])") + lost:
        tf_keras.backend.clear_session()
        a, b = (tf_keras.Input((4,), name=name) for name in "ab")
        model = tf_keras.Model([a, b], eval(text, {**scope, "a": a, "b": b}))
        run = tf_keras.backend.function([a, b], model.outputs)
        values = None if text in lost else np.asarray(run(inputs())[0]).tolist()
        found[text] = {"config": slim(json.loads(model.to_json())), "y": values}
    return found


def record_keras3():
    import keras

    scope = {"keras": keras, "ops": keras.ops, "np": np, "C": np.ones((4, 2), "float32") * 0.5}
    found = {}
    for text in expressions(KERAS3, "ops.reshape(a,(-1,2,2,1))"):
        keras.utils.clear_session(free_memory=False)
        a, b = (keras.Input((4,), batch_size=3, name=name) for name in "ab")
        model = keras.Model([a, b], eval(text, {**scope, "a": a, "b": b}))
        found[text] = {"config": slim(json.loads(model.to_json())), "y": np.asarray(model(inputs())).tolist()}
    return found


def main():
    if len(sys.argv) > 1:
        found = record_keras3() if sys.argv[1] == "keras3" else record_tf(sys.argv[1])
        print("\n" + json.dumps(found, default=str))
        return
    found = {}
    for way in WAYS:
        ran = subprocess.run([sys.executable, __file__, way], capture_output=True, text=True, check=True)
        found[way] = json.loads(ran.stdout.splitlines()[-1])
    with zipfile.ZipFile(FILE, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("cases.json", json.dumps(found, separators=(",", ":")))


if __name__ == "__main__":
    main()
