# gensynth: an ordinary PGXS extension.
#
#   make && make install && make installcheck     with any PG_CONFIG=...
#   make check                                    everything, from a bare machine
#   make demo [CSV=file.csv] [ROWS=1e6]           the same, to look at
#
# Yours to set: PG_CONFIG, OPTFLAGS (such as -march=native), BLAS_LIBS, and
# WERROR=1, with which a warning is an error: for those who change the code.

EXTENSION = gensynth
PG_CONFIG ?= pg_config

# Like PGXS, take sources from the directory of this file (VPATH builds).
here := $(dir $(firstword $(MAKEFILE_LIST)))
in_tree = $(patsubst $(here)%,%,$(sort $(wildcard $(addprefix $(here),$(1)))))

# The control file is the source of truth.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(here)gensynth.control)

MODULE_big = gensynth
# The lists of names and places as constant arrays.
DICTIONARY = build/dictionary_data.c

OBJS = $(patsubst %.c,%.o,$(call in_tree,src/*.c src/*/*.c src/*/*/*.c)) \
	$(DICTIONARY:.c=.o)

# Each part stands beside the C code that it declares; the order is that of
# their dependencies.
SQL_PARTS = src/catalog/catalog.sql src/catalog/ledger.sql src/fit/fit.sql src/worker/worker.sql src/stream/stream.sql \
	src/stream/into.sql src/schema/schema.sql src/mask/kinds.sql \
	src/mask/mask.sql src/mask/masked.sql
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
DATA = $(call in_tree,$(EXTENSION)--*--*.sql)

# `make installcheck` runs what needs nothing but PostgreSQL.
REGRESS = $(patsubst sql/%.sql,%,$(call in_tree,sql/*.sql))
ISOLATION = $(patsubst specs/%.spec,%,$(call in_tree,specs/*.spec))
ISOLATION_OPTS = --load-extension=gensynth

# A build must run on any machine of its architecture, so no -march=native;
# NaN and infinity are values that we handle, so no -ffast-math.  a * b + c is
# rounded twice, for all clones of a kernel to be equal: what is to be fused says
# so (src/numeric/gemm.c).
OPTFLAGS ?=
# PostgreSQL's own headers (ilist.h, c.h) need these two off.
# To clang, PostgreSQL's flags are another compiler's.
PG_CFLAGS = -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror) -Wno-unused-parameter -Wno-sign-compare \
	$(if $(findstring clang,$(CC)),-Wno-unknown-warning-option -Wno-cast-function-type-strict -Wno-ignored-attributes -Wno-psabi) \
	-ftree-vectorize -ffp-contract=off $(OPTFLAGS)
PG_CPPFLAGS = -I$(srcdir)/src -DGENSYNTH_VERSION='"$(EXTVERSION)"'

# The pthread and OpenMP builds of OpenBLAS start threads as soon as they are
# loaded, inside the backend.  Take the serial one where the distribution has
# it beside the others, and go on finding it at run time (rpath): the plain
# library name is an alternative that the administrator may point elsewhere.
openblas_serial := $(firstword $(wildcard \
	/usr/lib/$(shell $(CC) -print-multiarch 2>/dev/null)/openblas-serial \
	/usr/lib/*/openblas-serial /usr/lib/openblas-serial))
BLAS_LIBS ?= $(if $(openblas_serial),-L$(openblas_serial) \
	-Wl$(comma)-rpath$(comma)$(openblas_serial)) -lopenblas
comma = ,
SHLIB_LINK = $(BLAS_LIBS) -lm -pthread

# Bitcode is for the JIT to inline small functions into expressions; nothing
# here is one, and building it would need the server's own version of clang.
override with_llvm = no

EXTRA_CLEAN = build $(EXTENSION)-$(EXTVERSION).zip

ifneq (,$(filter check demo,$(MAKECMDGOALS)))

# PGXS has a `check` of its own, which does nothing, and may not be here yet:
# these two goals install it, so they must not include it.
.PHONY: all install installcheck clean check demo
all install installcheck clean:
	$(MAKE) $@

check:
	@$(here)script/check.sh

demo:
	@CSV='$(subst ','\'',$(CSV))' ROWS='$(ROWS)' $(here)script/demo.sh

else

# pg_config may be missing, or be libpq-dev's, which comes without PGXS.
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# t/*.pl begin servers of their own, which root may not, with PostgreSQL's
# modules for that, which need one of CPAN.
tap_lacks := $(firstword \
	$(if $(wildcard $(dir $(PGXS))../test/perl/PostgreSQL/Test/Cluster.pm),,PostgreSQL::Test) \
	$(shell grep -qs '^enable_tap_tests.*yes' $(dir $(PGXS))../Makefile.global || echo --enable-tap-tests) \
	$(shell perl -MIPC::Run -e 1 2>/dev/null || echo IPC::Run) \
	$(shell [ "$$(id -u)" != 0 ] || echo a-user-that-is-not-root))
ifeq (,$(tap_lacks))
TAP_TESTS = 1
else
$(if $(filter installcheck,$(MAKECMDGOALS)),$(info without t/*.pl, which need $(tap_lacks)))
endif
ifneq (,$(wildcard $(PGXS)))
include $(PGXS)
else
.PHONY: all install installcheck clean
all install installcheck clean:
	@echo "gensynth needs the server headers of PostgreSQL: install" \
		"postgresql-server-dev-NN, or set PG_CONFIG=/path/to/pg_config," \
		"or run script/setup.sh" >&2; exit 1
endif

# PGXS tracks the headers only of servers built with --enable-depend.
$(OBJS): $(call in_tree,src/*.h src/*/*.h src/*/*/*.h)

$(DICTIONARY): src/mask/dictionary.awk $(call in_tree,data/*.tsv)
	@echo "$@ <- data/*.tsv"
	@LC_ALL=C awk -f $^ > $@.tmp
	@mv $@.tmp $@

# The kernels of neural networks and mixtures.  No function's errno or
# floating-point trap is looked at.
$(filter src/nn/% src/privacy/mixture.o,$(OBJS)): override CFLAGS += -O3 -fno-math-errno \
	-fno-trapping-math
$(filter src/numeric/gemm.o,$(OBJS)): override CFLAGS += -O3

# A VPATH build starts without the directories of the objects.
$(foreach d,$(sort $(dir $(OBJS))),$(if $(wildcard $(d)),,$(shell mkdir -p $(d))))

$(DATA_built): $(SQL_PARTS) gensynth.control Makefile
	@echo "$@ <- $(SQL_PARTS)"
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; \
	   for part in $(filter %.sql,$^); do echo; cat $$part; done; } > $@.tmp
	@mv $@.tmp $@

.PHONY: dist
dist: $(DATA_built)
	git archive --format zip --prefix=$(EXTENSION)-$(EXTVERSION)/ \
		--add-file=$(DATA_built) \
		-o $(EXTENSION)-$(EXTVERSION).zip HEAD

endif
