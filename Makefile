# One command each. Everything lives in this folder: .venv (to run), .venv-test (to test), .state (data).
PYTHON ?= python3
TEST := .venv-test/bin

.PHONY: bench demo demo-reset test check campaign lint races lock photos messages clean

demo: .venv/.ready  ## a complete Awase with sample data; PORT=9000 fixes its port
	@exec .venv/bin/python -m awase demo --with-parent $(if $(PORT),--port $(PORT))

demo-reset: .venv/.ready  ## the same, forgetting everything first
	@exec .venv/bin/python -m awase demo --with-parent --reset $(if $(PORT),--port $(PORT))

test: .venv-test/.ready  ## everything: linters, types, layers, all tests with coverage, the browser's too
	@$(TEST)/python -m scripts.test

check: .venv-test/.ready  ## the inner loop: linters and the tests of domain and services
	@$(TEST)/python -m scripts.test inner lint

campaign: .venv-test/.ready  ## random sequences of everything that can happen, for MINUTES (20), against the invariants
	$(TEST)/python -m tests.campaign $(or $(MINUTES),20)

lint: .venv-test/.ready  ## style, types and layers
	@scripts/lint

races: .venv-test/.ready  ## forced races and kills at random points, on both databases; about an hour
	$(TEST)/python -m tests.races.campaign
	$(TEST)/python -m tests.races.kill_campaign

bench: .venv-test/.ready  ## speed and size (P1 to P5, P7) on both databases, into .artifacts/bench.json; about a quarter of an hour
	@$(TEST)/python -m bench

lock:  ## write the hashed locks anew from requirements/*.in (needs uv)
	@scripts/lock

photos: .venv-test/.ready  ## pictures of every screen, into .artifacts/screens
	PHOTOS=all $(TEST)/python -m pytest -q tests/e2e
	@cp .artifacts/screens/*repaired-en/*-page-list-stopped.png docs/pictures/page-list.png
	@cp .artifacts/screens/*repaired-ja/*-page-list-stopped.png docs/pictures/page-list-ja.png

messages: .venv-test/.ready  ## bring the message catalogue up to date and list what is untranslated
	$(TEST)/python -m scripts.messages extract
	@$(TEST)/python -m scripts.messages missing

clean:  ## remove what was made, except the demo's data
	rm -rf .venv .venv-test .artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find awase -name '*.mo' -delete

.venv/.ready: requirements/run.txt
	@echo "Preparing the environment in .venv (about a minute the first time) …"
	@scripts/environment .venv run "$(PYTHON)"

.venv-test/.ready: requirements/test.txt requirements/bootstrap.txt
	@echo "Preparing the test environment in .venv-test (some minutes the first time) …"
	@scripts/environment .venv-test test "$(PYTHON)"
