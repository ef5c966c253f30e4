# Two lines matter: `make run` opens the console on the training co-op, `make test` proves it.
# Both set up what they need in .venv; see CONTRIBUTING.md for the rest.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run tour test check bench soak wheel clean qt-libraries test-packages

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: $(VENV)/run.stamp qt-libraries ## Set up and open the console on the training co-op
	@$(PY) main.py

tour: $(VENV)/run.stamp qt-libraries ## Drive the console through its jobs and keep the pictures in tour/
	QT_QPA_PLATFORM=offscreen $(PY) main.py tour --out tour

test: $(VENV)/test.stamp qt-libraries test-packages check ## Set up, then lint, types and all tests
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest -n $(WORKERS) --dist loadgroup --durations=20

check: $(VENV)/test.stamp ## Lint and types only
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: $(VENV)/test.stamp qt-libraries ## Measure what docs/benchmarks.md claims (long, wants a quiet machine)
	QT_QPA_PLATFORM=offscreen $(PY) -m tests.bench

soak: $(VENV)/test.stamp qt-libraries ## The long proofs
	QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m soak

wheel: $(VENV)/test.stamp ## Build the wheel into dist/
	$(PY) -m pip wheel --no-deps --wheel-dir dist .

clean: ## Forget the set-up
	rm -rf $(VENV) dist build tour

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PY) -m pip install --quiet --upgrade pip

$(VENV)/run.stamp: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(PY) -m pip install --quiet --group dev
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix $(VENV)/node stripe-stateful-mock@0.0.16; fi
	@touch $@

# Qt's wheels bring Qt but not the system's own libraries. ldd names what is missing.
QT_PACKAGES := libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libfreetype6 libxkbcommon0 \
  libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 \
  libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
INSTALL := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

qt-libraries: $(VENV)/run.stamp
	@if [ "$$(uname)" != Linux ] || [ -e $(VENV)/qt.stamp ]; then exit 0; fi; \
	qt=$$($(PY) -c 'import importlib.util as u; print(u.find_spec("PySide6").submodule_search_locations[0])'); \
	missing=$$(ldd $$qt/QtWidgets.abi3.so $$qt/Qt/plugins/platforms/libq*.so 2>/dev/null | grep 'not found' | sort -u); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing the libraries that Qt needs"; $(INSTALL) $(QT_PACKAGES) >/dev/null; \
	  elif command -v apt-get >/dev/null; then \
	    echo "Qt needs libraries of the system. Run this line, then try again:"; \
	    echo "  sudo apt-get install $(QT_PACKAGES)"; exit 1; \
	  else \
	    echo "Qt needs libraries that are missing here:"; echo "$$missing"; exit 1; \
	  fi; \
	fi; touch $(VENV)/qt.stamp

# What tests need beside Python packages. Where it is missing they are reported as not run;
# with CI=true they fail.
test-packages:
	@command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing chromium for the tests of the web pages"; $(INSTALL) chromium >/dev/null || true; \
	else \
	  echo "The tests of the web pages want Chromium: sudo apt-get install chromium"; \
	fi
	@[ "$$(uname)" != Linux ] || command -v iptables >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing iptables for the tests of dropped packets"; $(INSTALL) iptables >/dev/null || true; \
	else \
	  echo "The tests of dropped packets want root and iptables: sudo apt-get install iptables"; \
	fi
	@ls /usr/lib/postgresql/15/bin/initdb >/dev/null 2>&1 && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing PostgreSQL for the tests of its logins"; $(INSTALL) postgresql >/dev/null || true; \
	else \
	  echo "The tests of the database's logins want PostgreSQL: sudo apt-get install postgresql"; \
	fi
