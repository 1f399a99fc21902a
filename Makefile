# evseg: `make deps demo` shows it, `make deps check` tests it, `make install` installs it.
#
# Sources are found by their place, so a new file needs no line here. CC, CFLAGS, LDFLAGS, PREFIX and
# DESTDIR may be given. V=1 shows the commands. CONFIG chooses how things are built: release (the
# default), asan, ubsan, tsan, valgrind, portable, coverage, fuzz; each has a folder of its own under build/.

VERSION := 0.1.0
SOVERSION := 0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share

CONFIG ?= release
CFLAGS ?= -O2 -g
AR ?= ar
WERROR ?= -Werror
FUZZ_SECONDS ?= 60
MUTANTS ?= 200
SPEC_SECONDS ?= 300

# Scripts of their own that `make check` runs besides the unit, command, layer and fuzz tests. Each
# ends with a line "N passed, N failed" and finds the programs first in PATH and in $EVS_BIN, the
# configuration in $EVS_CONFIG.
CHECK_TESTS ?= \
	tests/check_install \
	tests/check_layers \
	tests/crash/kill9.py \
	tests/crash/power.py \
	tests/damage/run \
	tests/fault/run \
	tests/fault/world \
	tests/upkeep/expiring.py \
	tests/limits/many.py \
	tests/limits/run.py \
	tests/mutation/selftest \
	tests/query/regex.py \
	tests/query/run \
	tests/readme/run \
	tests/roundtrip/run.py \
	tests/roundtrip/values.py \
	tests/spec/duel.py \
	tests/spec/rows.py \
	tests/spec/run \
	tests/systems/questions \
	tests/systems/run \
	tests/upkeep/soak.py

# ---- flags ---------------------------------------------------------------------------------------

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes -Wstrict-prototypes \
	-Wwrite-strings -Wcast-qual -Wformat=2 $(WERROR)

# What sanitizers put between the lines makes gcc see variables that are not set; without them it looks, too.
SANITIZE_asan = -fsanitize=address -fno-omit-frame-pointer -Wno-maybe-uninitialized
SANITIZE_ubsan = -fsanitize=undefined -fno-sanitize-recover=all -Wno-maybe-uninitialized
SANITIZE_tsan = -fsanitize=thread -Wno-maybe-uninitialized
# A function is counted once, not once more in each place where it must be inlined.
SANITIZE_coverage = --coverage -fprofile-update=atomic -O0 -Dalways_inline=unused
# Without what only some machines can do.
SANITIZE_portable = -DEVS_PORTABLE
SANITIZE_fuzz = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
SANITIZE = $(SANITIZE_$(CONFIG))

# One set of objects serves the archive and the shared library.
PIC = -fPIC -fno-semantic-interposition
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -I. -Isrc $(WARNINGS) $(PIC) -pthread $(CPPFLAGS) \
	$(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -pthread $(LDFLAGS) $(SANITIZE)
LIBS = -lzstd -lxxhash -lsodium -lm

# ---- files ---------------------------------------------------------------------------------------

B = build/$(CONFIG)
BIN = $(if $(filter release,$(CONFIG)),build/bin,$(B)/bin)

LIB_SOURCES := $(sort $(wildcard format/*.c src/*.c src/*/*.c))
CLI_SOURCES := $(sort $(wildcard tools/cli*.c))
TOOL_SOURCES := $(sort $(wildcard tools/ev*.c))
UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
DAMAGE_SOURCES := $(sort $(wildcard tests/damage/*.c))

LIB_OBJECTS = $(LIB_SOURCES:%.c=$(B)/%.o)
CLI_OBJECTS = $(CLI_SOURCES:%.c=$(B)/%.o)
TOOLS = $(TOOL_SOURCES:tools/%.c=$(BIN)/%)
UNITS = $(UNIT_SOURCES:%.c=$(B)/%)
FUZZERS = $(FUZZ_SOURCES:%.c=$(B)/%)
DAMAGE = $(if $(filter fuzz,$(CONFIG)),,$(B)/tests/damage/damage)
REPLAYERS = $(if $(filter fuzz,$(CONFIG)),,$(FUZZERS))

LIB = $(B)/libevseg.a
CLI_LIB = $(B)/libcli.a
SONAME = libevseg.so.$(SOVERSION)
SHARED = $(B)/libevseg.so.$(VERSION)
MAN = $(sort $(wildcard docs/man/*.1))

Q = $(if $(V),,@)
# Nothing is said under make -s.
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-4s %s\n')

# Inner makes build in parallel, whether or not this one does.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SUBMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# What `deps` installs is needed by whatever stands behind it on the command line.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: all lib tools tests deps demo check check-config check-layers check-asan check-ubsan \
	check-tsan check-valgrind check-portable check-crash check-damage check-fault check-upkeep fuzz coverage mutants bench lint format install \
	uninstall clean help FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

all: lib tools
lib: $(LIB) $(SHARED)
tools: $(TOOLS)
tests: tools $(UNITS) $(REPLAYERS) $(DAMAGE)

help:
	@printf '%s\n' 'make             library and programs, into build/' \
		'make deps        install what is missing (Debian packages)' \
		'make demo        show the main job on sample rows' \
		'make check       every test; the last line counts them' \
		'make check-asan check-ubsan check-tsan check-valgrind check-portable check-layers' \
		'make check-crash power cuts and kills: every state, and 20,000 at random' \
		'make check-spec  two readers on random files, SPEC_SECONDS=$(SPEC_SECONDS) for each kind' \
		'make check-fault every call and allocation failing, once and for ever; full disks, limits, locks' \
		'make check-upkeep writers, readers, evcompact and evexpire at once for ten minutes' \
		'make check-damage every bit, end, sector and frame damaged, and a million at random' \
		'make fuzz        libFuzzer, FUZZ_SECONDS=$(FUZZ_SECONDS) of CPU for each target; FUZZ_IN_ALL=N: runs before counted' \
		'make mutants     change the code a little, MUTANTS=$(MUTANTS) times: do the tests notice?' \
		'make coverage    which lines and branches the tests reach, and which they must' \
		'make bench       speed and size' \
		'make lint        clang-format, clang-tidy, cppcheck, shellcheck, mandoc' \
		'make install     PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)' \
		'make uninstall   the same away again'

# ---- building ------------------------------------------------------------------------------------

# Changed when the compiler or its flags did, so that objects follow.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' >$@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJECTS)

$(CLI_LIB): $(CLI_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(CLI_OBJECTS)

# The public functions are those that evseg.h declares, and no others.
$(B)/evseg.map: src/evseg.h
	@mkdir -p $(@D)
	@{ echo '{ global:'; grep -v '^typedef' src/evseg.h | \
		sed -n 's/^[a-z][a-z0-9_ ]*[ *]\(evs_[a-z0-9_]*\)(.*/\t\1;/p'; \
		echo 'local: *; };'; } >$@

$(SHARED): $(LIB_OBJECTS) $(B)/evseg.map
	$(say) LD $@
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script,$(B)/evseg.map $(ALL_LDFLAGS) \
		-o $@ $(LIB_OBJECTS) $(LIBS)

$(TOOLS): $(BIN)/%: $(B)/tools/%.o $(CLI_LIB) $(LIB)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(CLI_LIB) $(LIB) $(LIBS)

# Functions that a test defines as __wrap_NAME (tests/unit/fail.h) take the calls to NAME.
$(UNITS): %: %.o $(CLI_LIB) $(LIB)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) $$(nm $< | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') \
		-o $@ $< $(CLI_LIB) $(LIB) $(LIBS)

ifeq ($(CONFIG),fuzz)
$(FUZZERS): %: %.o $(LIB)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LIB) $(LIBS)
else
$(FUZZERS): %: %.o $(B)/tests/fuzz/replay.o $(LIB)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/tests/fuzz/replay.o $(LIB) $(LIBS)
endif

$(DAMAGE): $(DAMAGE_SOURCES:%.c=$(B)/%.o) $(LIB)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

OBJECTS = $(LIB_OBJECTS) $(CLI_OBJECTS) $(TOOL_SOURCES:%.c=$(B)/%.o) $(UNIT_SOURCES:%.c=$(B)/%.o) \
	$(FUZZ_SOURCES:%.c=$(B)/%.o) $(B)/tests/fuzz/replay.o $(DAMAGE_SOURCES:%.c=$(B)/%.o)
.SECONDARY: $(OBJECTS)
-include $(OBJECTS:.o=.d)

# ---- what a newcomer runs ------------------------------------------------------------------------

deps:
	@.ci/deps

demo:
	@echo 'make demo: building'
	@$(SUBMAKE) -s tools
	@tests/demo build/bin

# ---- tests ---------------------------------------------------------------------------------------

check:
	@$(SUBMAKE) CONFIG=$(CONFIG) $(if $(filter release,$(CONFIG)),all) tests
	@$(MAKE) -s --no-print-directory CONFIG=$(CONFIG) check-config

# The same tests, everything being built. EVS_* tell the scripts what to test.
check-config:
	@EVS_CONFIG=$(CONFIG) EVS_BUILD=$(B) EVS_BIN=$(BIN) EVS_CC='$(CC)' \
		tests/check $(UNITS) -- $(REPLAYERS) -- tests/cli/run $(CHECK_TESTS)

check-portable:
	@$(MAKE) --no-print-directory CONFIG=portable check

check-asan check-ubsan check-tsan: check-%:
	@$(MAKE) --no-print-directory CONFIG=$* CFLAGS='-O1 -g' check

# The release programs, each behind a small script that runs it under valgrind.
check-valgrind:
	@$(SUBMAKE) CONFIG=valgrind CFLAGS='-O1 -g' tests
	@EVS_WRAP='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
		$(MAKE) -s --no-print-directory CONFIG=valgrind check-config

check-layers:
	@tests/check_layers

.PHONY: check-spec
# Two readers on random files, for as long as is given.
check-spec:
	@$(SUBMAKE) -s tools
	@tests/spec/run
	@tests/spec/duel.py $(SPEC_SECONDS)
	@tests/spec/rows.py $(SPEC_SECONDS)

check-crash:
	@$(SUBMAKE) tools
	@tests/crash/power.py && tests/crash/kill9.py

# CONFIG=tsan: with the thread sanitizer.
check-upkeep:
	@$(SUBMAKE) CONFIG=$(CONFIG) tools
	@EVS_BIN=$(BIN) tests/upkeep/soak.py

# Once more for memory alone with the sanitizer, which sees what is used after it was given back.
check-fault:
	@$(SUBMAKE) tools
	@tests/fault/run --all && tests/fault/world --all
	@$(SUBMAKE) CONFIG=asan CFLAGS='-O1 -g' tools
	@EVS_CONFIG=asan EVS_BIN=build/asan/bin tests/fault/run --all --kind malloc

check-damage:
	@$(SUBMAKE) CONFIG=$(CONFIG) tests
	@EVS_BUILD=$(B) EVS_BIN=$(BIN) tests/damage/run --all

# Needs what `make check` does not: nobody has to install it for that.
fuzz:
	@echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return !p && n; }' | \
		clang -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null || { \
		echo 'make fuzz: clang with libFuzzer is missing (Debian: clang libclang-rt-dev)' >&2; exit 2; }
	@$(SUBMAKE) -s CONFIG=fuzz CC=clang CFLAGS='-O1 -g' fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run build/fuzz/tests/fuzz

.PHONY: fuzzers
fuzzers: $(FUZZERS)

coverage:
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || :
	@status=0; $(MAKE) --no-print-directory CONFIG=coverage CFLAGS='-g' check || status=1; \
		tests/coverage build/coverage || status=1; exit $$status

# SEED=N takes the same sample again.
mutants:
	@tests/mutation/run --count $(MUTANTS) $(if $(SEED),--seed $(SEED))

bench:
	@$(SUBMAKE) -s all
	@tests/bench/run
	@tests/bench/queries
	@tests/bench/growth

lint:
	@tests/lint

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

# ---- installing ----------------------------------------------------------------------------------

D = $(DESTDIR)
TOOL_NAMES = $(notdir $(TOOLS))
INSTALLED = $(TOOL_NAMES:%=$(BINDIR)/%) $(INCLUDEDIR)/evseg.h $(LIBDIR)/libevseg.a \
	$(LIBDIR)/libevseg.so.$(VERSION) $(LIBDIR)/$(SONAME) $(LIBDIR)/libevseg.so \
	$(LIBDIR)/pkgconfig/evseg.pc $(MAN:docs/man/%=$(DATADIR)/man/man1/%) \
	$(TOOL_NAMES:%=$(DATADIR)/bash-completion/completions/%) \
	$(DATADIR)/zsh/site-functions/_evseg \
	$(TOOL_NAMES:%=$(DATADIR)/fish/vendor_completions.d/%.fish)

install:
	@$(SUBMAKE) $(if $(V),,-s) all
	@mkdir -p $(addprefix $(D),$(BINDIR) $(INCLUDEDIR) $(LIBDIR)/pkgconfig $(DATADIR)/man/man1 \
		$(DATADIR)/bash-completion/completions $(DATADIR)/zsh/site-functions \
		$(DATADIR)/fish/vendor_completions.d)
	install -m 755 $(TOOLS) $(D)$(BINDIR)
	install -m 644 src/evseg.h $(D)$(INCLUDEDIR)
	install -m 644 $(LIB) $(SHARED) $(D)$(LIBDIR)
	ln -sf libevseg.so.$(VERSION) $(D)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(D)$(LIBDIR)/libevseg.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' evseg.pc.in >$(D)$(LIBDIR)/pkgconfig/evseg.pc
	install -m 644 $(MAN) $(D)$(DATADIR)/man/man1
	@for t in $(TOOL_NAMES); do \
		install -m 644 docs/completion/evseg.bash $(D)$(DATADIR)/bash-completion/completions/$$t; \
		install -m 644 docs/completion/evseg.fish $(D)$(DATADIR)/fish/vendor_completions.d/$$t.fish; \
	done
	install -m 644 docs/completion/evseg.zsh $(D)$(DATADIR)/zsh/site-functions/_evseg

uninstall:
	rm -f $(addprefix $(D),$(INSTALLED))

clean:
	rm -rf build
