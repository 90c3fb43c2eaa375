# Two commands on a fresh machine with Python 3.11 or newer and make: `make demo` and `make test`.
# `make test-quick` is for between two edits, `make test-all` runs every combination on every backend.
# The environments lie in .venv-demo (an ordinary install with NumPy and h5py alone) and .venv-test (every engine).
# They are made once, and brought up to date when pyproject.toml changes; `make clean` removes them.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
DEMO := .venv-demo/bin
TEST := .venv-test/bin
PIP := -m pip install --quiet --disable-pip-version-check
SOURCES := pyproject.toml README.md $(shell find keras_front backends -name '*.py' -o -name '*.npz')

.PHONY: demo test test-compiler test-quick test-all lint types check doctest mutants plain test-pytensor test-onnxruntime \
	robustness package test-extras test-minimum test-latest test-pythons compare test-libraries test-distribution test-onnx test-other-keras onnx-table tutorials test-tutorials pictures docs docs-serve \
	bench bench-quick bench-gpu clean

# One BLAS thread: the matrices of the demo are small, and threads that wait for each other cost more than they bring.
demo: .venv-demo/ready  # train a digit classifier with NumPy and h5py alone
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(DEMO)/keras-front demo

# One thread for each of the two workers. Both take what is next, so that neither waits for the other's last file.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := $(ONE_THREAD) $(TEST)/python -m pytest -q -n 2 --dist worksteal

test: lint types doctest check plain  # all that a change has to pass

test-quick: lint .venv-test/ready  # on NumPy and torch, without what takes long
	KERAS_FRONT_TEST_QUICK=1 KERAS_FRONT_TEST_BACKENDS=numpy,torch $(PYTEST)

test-all: lint types doctest .venv-test/ready  # every case of every check on every backend, with full optimization
	KERAS_FRONT_TEST_ALL=1 $(PYTEST)

lint: .venv-test/ready
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .

types: .venv-test/ready
	$(TEST)/mypy

check: .venv-test/ready  # the suite, on all four backends
	$(PYTEST)

doctest: .venv-test/ready  # the examples in docstrings, on NumPy
	KERAS_FRONT_BACKEND=numpy $(ONE_THREAD) $(TEST)/python -m pytest -q -p no:cacheprovider --doctest-modules \
		--ignore keras_front/as_keras.py keras_front  # whose import makes the process answer old programs

test-compiler: .venv-test/ready  # steps of torch through `torch.compile`, and as graphs that are repeated
	KERAS_FRONT_TEST_BACKENDS=torch $(ONE_THREAD) $(TEST)/python -m pytest -q -p no:cacheprovider tests/backends/torch_compiler_whole.py

test-pytensor: .venv-test/ready  # both published suites, whole, on the backend `pytensor`
	KERAS_FRONT_TEST_ALL=1 $(ONE_THREAD) $(TEST)/python -m pytest -q -s -p no:cacheprovider tests/backends/test_pytensor.py

test-onnxruntime: .venv-test/ready  # the same on the backend `onnxruntime`
	KERAS_FRONT_TEST_ALL=1 $(ONE_THREAD) $(TEST)/python -m pytest -q -s -p no:cacheprovider tests/backends/test_onnxruntime.py

mutants: .venv-test/ready  # breaks thirty places, one by one: how many do the tests notice?
	$(ONE_THREAD) $(TEST)/python tests/mutation_trial.py

plain: .venv-demo/ready  # with NumPy and h5py alone: import, train, save, load
	$(DEMO)/python -I tests/plain.py

package: .venv-package/ready  # sdist and wheel in dist/: contents, metadata, built again from the sdist, installed and tried
	.venv-package/bin/python tests/packaging/check_package.py

test-extras:  # each extra that is cheap installs and does what it is for; `EXTRAS=--all` for all of them
	$(PYTHON) tests/packaging/check_extras.py $(EXTRAS)

test-minimum test-latest test-pythons:  # oldest and newest versions that are declared, and every Python that is here
	$(PYTHON) tests/packaging/check_versions.py $(@:test-%=%)

compare: .venv-compare/ready  # beside Keras 3 and tf_keras: times, old files, old names, seeds; the table of the README
	.venv-compare/bin/python benchmarks/compare.py

test-other-keras: .venv-compare/ready  # which of our files Keras 3 and tf_keras read, layer by layer, and with which numbers
	$(ONE_THREAD) .venv-compare/bin/python tests/saving/read_by_other_keras.py

fuzz: .venv-test/ready  # every reader of models, thirty seconds each: damaged copies of good files
	$(TEST)/python tests/robustness/fuzz.py

robustness: .venv-test/ready  # kills, full disks, hostile files ...: how many trials end as they should on each backend?
	$(TEST)/python tests/robustness/run.py

test-libraries: .venv-libraries/ready  # programs with libraries of 2016 to 2022, unchanged, without TensorFlow
	$(ONE_THREAD) .venv-libraries/bin/python -m pytest -q -p no:cacheprovider tests/libraries/run_programs.py

test-distribution: .venv-test/ready  # models on eight devices made of one CPU, and in several processes, against one
	$(ONE_THREAD) $(TEST)/python tests/distribution/run_on_mesh.py
	$(ONE_THREAD) $(TEST)/python tests/distribution/run_on_mesh.py --processes 2
	$(ONE_THREAD) $(TEST)/python tests/distribution/run_in_processes.py -n 4 torch everything:model attention:model one_by_one:model
	for backend in torch tensorflow; do \
		$(ONE_THREAD) $(TEST)/python tests/distribution/run_in_processes.py $$backend || exit 1; \
		$(ONE_THREAD) $(TEST)/python tests/distribution/run_in_processes.py -n 3 $$backend everything everything:sharded || exit 1; \
		$(ONE_THREAD) $(TEST)/python tests/distribution/lose_a_process.py $$backend killed || exit 1; \
		$(ONE_THREAD) $(TEST)/python tests/distribution/lose_a_process.py $$backend silent || exit 1; \
		$(ONE_THREAD) $(TEST)/keras-front launch -n 2 --backend $$backend tests/distribution/old_program.py || exit 1; \
	done

test-onnx: .venv-test/ready  # every layer, op and application as ONNX, by ONNX Runtime
	KERAS_FRONT_TEST_BACKENDS=numpy $(ONE_THREAD) $(TEST)/python -m pytest -q -p no:cacheprovider tests/export/onnx_whole.py

onnx-table: .venv-test/ready  # write docs/onnx.md
	KERAS_FRONT_BACKEND=numpy $(ONE_THREAD) $(TEST)/python docs/make_onnx.py

tutorials: .venv-test/ready  # run the tutorials on NumPy and write their pages, pictures and notebooks
	KERAS_FRONT_BACKEND=numpy $(ONE_THREAD) $(TEST)/python docs/run_tutorials.py --write
	$(TEST)/python docs/run_tutorials.py --notebooks build/notebooks

test-tutorials: .venv-test/ready  # run the tutorials, with what they check
	for backend in numpy torch; do \
		KERAS_FRONT_BACKEND=$$backend $(ONE_THREAD) $(TEST)/python docs/run_tutorials.py || exit 1; \
	done

bench: .venv-test/ready  # every workload on every backend against a loop by hand; then K, single layers, and depth
	$(TEST)/python benchmarks/run.py
	$(TEST)/python benchmarks/ops.py
	$(TEST)/python benchmarks/layers.py
	$(TEST)/python benchmarks/programs.py
	$(TEST)/python benchmarks/depth.py
	$(TEST)/python benchmarks/streams.py

pictures: .venv-test/ready  # draw the pictures of docs/guides/pictures.md
	KERAS_FRONT_BACKEND=numpy $(ONE_THREAD) $(TEST)/python docs/make_pictures.py

docs: .venv-docs/ready  # the site, in build/site; a broken link or a page that is nowhere listed is an error
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=docs .venv-docs/bin/mkdocs build --quiet

docs-serve: .venv-docs/ready  # the same while it is written, at http://127.0.0.1:8000
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=docs .venv-docs/bin/mkdocs serve

bench-gpu: .venv-test/ready  # where there is a GPU: conformance, and fit against loops by hand, in eight minutes
	$(TEST)/python benchmarks/gpu.py

bench-quick: .venv-test/ready
	$(TEST)/python benchmarks/run.py --quick
	$(TEST)/python benchmarks/ops.py --quick
	$(TEST)/python benchmarks/layers.py --quick
	$(TEST)/python benchmarks/programs.py --quick
	$(TEST)/python benchmarks/depth.py --quick
	$(TEST)/python benchmarks/streams.py --quick

# The package is installed as a user would: from a wheel, which is built again when a source is newer.
.venv-demo/ready: .venv-demo/made $(SOURCES)
	@rm -rf build
	@$(DEMO)/python $(PIP) --force-reinstall --no-deps .
	@rm -rf build
	@touch $@

.venv-demo/made: pyproject.toml
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@echo "making .venv-demo: NumPy and h5py ..."
	@test -x $(DEMO)/python || $(PYTHON) -m venv --clear .venv-demo
	@rm -rf build
	@$(DEMO)/python $(PIP) .
	@rm -rf build
	@touch $@ .venv-demo/ready

.venv-test/ready: pyproject.toml
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@echo "making .venv-test: all engines, about 1 GB to download ..."
	@test -x $(TEST)/python || $(PYTHON) -m venv --clear .venv-test
	@$(TEST)/python $(PIP) --editable '.[test]'
	@touch $@

.venv-docs/ready: pyproject.toml
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv --clear .venv-docs
	@.venv-docs/bin/python $(PIP) --editable '.[docs]'
	@touch $@

.venv-package/ready:
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@test -x .venv-package/bin/python || $(PYTHON) -m venv --clear .venv-package
	@.venv-package/bin/python $(PIP) build twine trove-classifiers
	@touch $@

.venv-compare/ready: pyproject.toml
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@test -x .venv-compare/bin/python || $(PYTHON) -m venv --clear .venv-compare
	@.venv-compare/bin/python $(PIP) --editable . keras==3.15.1 tf_keras==2.21.0 tensorflow-cpu jax==0.10.2
	@touch $@

.venv-libraries/ready: pyproject.toml tests/libraries/requirements.txt tests/libraries/libraries.txt
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; set PYTHON=/path/to/python))
	@echo "making .venv-libraries: libraries of the time and what they need, about 1 GB to download ..."
	@test -x .venv-libraries/bin/python || $(PYTHON) -m venv --clear .venv-libraries
	@.venv-libraries/bin/python $(PIP) --editable . -r tests/libraries/requirements.txt
	@.venv-libraries/bin/python $(PIP) --no-deps -r tests/libraries/libraries.txt
	@touch $@

clean:
	rm -rf .venv-demo .venv-test .venv-docs .venv-libraries .venv-package .venv-compare build dist keras_front.egg-info
