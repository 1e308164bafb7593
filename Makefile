# Every target is one line over a command that also works without make (see docs/operations.md). `make help` lists them.

PYTHON := .venv/bin/python
# What the service runs on, and what checks, tests and benchmarks need as well. A copy of a lock says that it is installed.
LOCK := requirements.lock
READY := .venv/installed.lock
TOOLS_LOCK := requirements-dev.lock
TOOLS := .venv/installed-dev.lock
INSTALL = test -t 2 || quiet=--quiet; \
	$(PYTHON) -m pip install $${quiet-} --disable-pip-version-check --no-input --require-hashes --only-binary :all: -r
# The third-party files of the pages; targets that serve or test the pages need them.
ASSETS := service/web/vendor/installed.lock

# The command gets values exactly as typed: make does not expand them, and they are quoted for the shell.
OPTIONS := FROM TO HOURS PROJECTION JSON FILE FORMAT OF FILTER RECEIVED_AT SHIFT_TO NULLS HISTORY SITE DRY_RUN FORCE SHORTEN CHECK NO_BACKUP
unexport $(OPTIONS)
quote = '$(subst ','\'',$(value $(1)))'
option = $(if $(value $(1)),--$(2) $(call quote,$(1)))
flag = $(if $(filter-out 0 no false,$(value $(1))),--$(2))
range = $(call option,FROM,from) $(call option,TO,to)

# A command says by itself why it failed, and GNU make would add "*** Error 2". It adds nothing in question mode (-q: "is it
# up to date?") when a recipe exits with 1; in that mode lines that begin with + still run. HOURLEDGER_TYPED lets a command
# fail with 1, except for `verify`, because "could not check" (2) is not "wrong" (1), and speak of what was typed. No shell
# maps the codes, because it would stand between make and the command and not pass on SIGTERM.
# GNU make 3.81, which macOS ships, exits 2 and adds its line in any case; so does any make that is given another goal as
# well. With -n, lines that begin with + would run.
COMMANDS := serve demo import export rebuild-projections verify log-head retention undrop backup restore upgrade migrate rollback
ifeq ($(words $(MAKECMDGOALS)),1)
ifneq ($(filter $(COMMANDS),$(MAKECMDGOALS)),)
ifeq ($(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
MAKEFLAGS += -q
ASKED := +
export HOURLEDGER_TYPED := make $(MAKECMDGOALS)
endif
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup test lint check bench bench-quick faults $(COMMANDS)

help: ## list the commands
	@sed -n -e 's/^\([a-z-]*\):.*## /make \1                          /' -e 's/^\(make.\{22\}\) */\1/p' Makefile

setup: $(READY) $(ASSETS) ## install what the service needs into .venv, and the pages' assets, if missing or changed
	@echo 'setup: .venv is ready'

serve: $(READY) $(ASSETS) ## run the whole service on http://127.0.0.1:8000; Ctrl-C stops it
	$(ASKED)@$(PYTHON) -m service serve

demo: $(READY) $(ASSETS) ## serve a separate demo database: 30 days of made-up events, and new ones while it runs
	$(ASKED)@$(PYTHON) -m service demo

# Tests run make themselves, which must not look for the jobs of this one.
test: $(TOOLS) $(ASSETS) ## run every test against a real PostgreSQL
	@unset MAKEFLAGS MFLAGS; $(PYTHON) -m pytest --numprocesses auto --maxprocesses 6 --dist worksteal

lint: $(TOOLS) ## lint, format, types, import rules and SQL checks
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@$(PYTHON) -c 'from importlinter.cli import lint_imports_command as lint; lint(["--no-logo"])'
	@$(PYTHON) -m tests.sql_check

check: lint test ## lint, then test: what CI runs

import: $(READY) ## idempotent import: FILE=events.json [FORMAT=auto|json|ndjson|csv] [SHIFT_TO=now|ISO-8601] [NULLS='\N,NULL'] [HISTORY=1 for events older than the log takes] [SITE=] [DRY_RUN=1]
	$(ASKED)@$(PYTHON) -m service import $(call option,FORMAT,format) $(call option,SHIFT_TO,shift-to) $(call option,NULLS,nulls) $(call flag,HISTORY,history) $(call option,SITE,site) $(call flag,DRY_RUN,dry-run) $(if $(value FILE),-- $(call quote,FILE))

export: $(READY) ## events or rollups to a file: FILE= (- is standard output) [FORMAT=csv|ndjson|parquet, else by FILE's ending] [OF=events|rollups] [FROM= TO=|HOURS=168, 8784 for a year] [FILTER=name=value] [SITE=] [RECEIVED_AT=1] [FORCE=1 overwrites]
	$(ASKED)@$(PYTHON) -m service export $(call option,FORMAT,format) $(call option,OF,of) $(range) $(call option,HOURS,hours) $(call option,FILTER,filter) $(call option,SITE,site) $(call flag,RECEIVED_AT,received-at) $(call flag,FORCE,force) $(call option,FILE,output)

rebuild-projections: $(READY) ## regenerate rollups from raw events: [FROM=] [TO=] whole hours in UTC, TO exclusive, [PROJECTION=]
	$(ASKED)@$(PYTHON) -m projections rebuild $(range) $(call option,PROJECTION,projection)

verify: $(READY) ## compare rollups with raw events: [FROM=] [TO=] whole hours in UTC, [JSON=1]; exits 0 clean, 1 wrong, 2 could not check
	$(ASKED)@$(PYTHON) -m projections verify $(range) $(call flag,JSON,json)

log-head: $(READY) ## print how far the log reaches, to keep elsewhere; or check such a copy, or a witness: [CHECK=FILE]
	$(ASKED)@$(PYTHON) -m projections log-head $(call option,CHECK,check)

retention: $(READY) ## retire the days past their retention now: [FORCE=1] accepts the clock, [SHORTEN=1] a shorter retention; fails if a day does not verify
	$(ASKED)@$(PYTHON) -m projections retention $(call flag,FORCE,force) $(call flag,SHORTEN,shorten)

undrop: $(READY) ## bring back the days that retention took out of the log and has not dropped yet: [FROM=day]
	$(ASKED)@$(PYTHON) -m projections undrop $(call option,FROM,from)

backup: $(READY) ## write the embedded database to a new file; the service may run meanwhile: FILE=
	$(ASKED)@$(PYTHON) -m service backup $(if $(value FILE),-- $(call quote,FILE))

restore: $(READY) ## read a backup into an empty embedded database: FILE=
	$(ASKED)@$(PYTHON) -m service restore $(if $(value FILE),-- $(call quote,FILE))

upgrade: $(READY) $(ASSETS) ## upgrade the database to this release: back up, migrate, verify, and go back if anything fails: [FILE=] [NO_BACKUP=1] [FORCE=1]
	$(ASKED)@$(PYTHON) -m service upgrade $(call flag,NO_BACKUP,no-backup) $(call flag,FORCE,force) $(if $(value FILE),-- $(call quote,FILE))

migrate: $(READY) ## bring the schema to the newest version
	$(ASKED)@$(PYTHON) -m service migrate

rollback: $(READY) ## take the schema one step down; FORCE=1 allows it to lose data
	$(ASKED)@$(PYTHON) -m service rollback $(call flag,FORCE,force)

bench: $(TOOLS) ## run the benchmarks and print a table with ratios; takes hours. [BENCH_JSON=] also writes JSON to a file
	@$(PYTHON) -m bench

bench-quick: $(TOOLS) ## benchmark writing, folding and verifying at a tenth of the size; fails when a ratio is far below its goal
	@$(PYTHON) -m bench --quick --guard --runs 2 --only engine --only posts --only appends --only batches

faults: $(TOOLS) ## inject over 1,000 faults; print lost and doubled events, false reports and wrong answers; fail if any
	@$(PYTHON) -m tests.faults

# A venv whose Python is gone or was upgraded counts as missing.
$(READY): $(LOCK) $(PYTHON)
	$(ASKED)@set -eu; trap 'test $$? = 0 || exit 2' EXIT; \
	if cmp -s $(LOCK) $(READY) && $(PYTHON) -m pip --version >/dev/null 2>&1; then touch $(READY); exit; fi; \
	found=; chosen=; \
	for python in python3 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  found=$$python; \
	  if $$python -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$python; break; fi; \
	done; \
	test "$$found" || { echo 'setup: no Python 3.11 or newer: tried python3, python3.13, python3.12 and python3.11' >&2; exit 2; }; \
	test "$$chosen" || { echo "setup: $$found cannot make a venv (no ensurepip); on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }; \
	echo "setup: making .venv with $$($$chosen -V)" >&2; \
	rm -rf .venv; \
	$$chosen -m venv .venv; \
	$(INSTALL) $(LOCK) >&2; \
	cp $(LOCK) $(READY)

$(TOOLS): $(TOOLS_LOCK) $(READY)
	@set -eu; \
	if cmp -s $(TOOLS_LOCK) $(TOOLS); then touch $(TOOLS); exit; fi; \
	echo 'setup: installing what the tests need' >&2; \
	$(INSTALL) $(TOOLS_LOCK) >&2; \
	cp $(TOOLS_LOCK) $(TOOLS)

# Packages that are installed already are only copied.
$(ASSETS): package-lock.json service/web/assets.py $(wildcard service/web/client/*.js) | $(READY)
	$(ASKED)@echo "setup: installing the pages' assets" >&2
	$(ASKED)@$(PYTHON) -m service.web.assets

$(PYTHON): ;
