# SPDX-License-Identifier: GPL-2.0
#
# pvbus: make builds the modules for one kernel and the tools.
# "make help" lists the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# of the kernel in KDIR, which need not be the running one
KREL := $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"$$/\1/p' \
	  '$(KDIR)/include/generated/utsrelease.h' 2>/dev/null)

BUILD := $(CURDIR)/build
# kbuild writes beside its sources: each kernel gets a tree of links, so that
# several kernels build side by side and the sources stay clean
KTREE := $(BUILD)/kbuild/$(KREL)
KOUT := $(BUILD)/modules/$(KREL)
KSRC := $(shell find Kbuild kmod guest-drivers include \
	  $(wildcard tests/guest tests/hostile tests/broken) \
	  -name '*.[ch]' -o -name Kbuild)

# for two builds of one kernel at a time
LOCK = flock -o $(BUILD)/kbuild/$(KREL).lock
KBUILD = $(MAKE) --no-print-directory -C $(KDIR) M=$(KTREE) $(KFLAGS)

# a distribution's headers ask for signatures, and lack the key
NOSIGN = $(if $(wildcard $(KDIR)/certs/signing_key.*),,CONFIG_MODULE_SIG_ALL=)

# newest of each supported series whose headers are installed
KSERIES := 6.1 6.12
newest = $(shell ls -d /lib/modules/$(1).*/build 2>/dev/null | \
	   sed -n 's|^/lib/modules/\(.*-amd64\)/build$$|\1|p' | \
	   grep -v -e -rt- -e -cloud- | sort -V | tail -n 1)

PREFIX ?= /usr/local
INSTALL_MOD_PATH ?= $(DESTDIR)
INSTALL_MOD_DIR ?= updates/pvbus
MODDIR = $(INSTALL_MOD_PATH)/lib/modules/$(KREL)/$(INSTALL_MOD_DIR)

export PREFIX DESTDIR

all: modules tools

modules: ktree
	+@$(LOCK) $(KBUILD) modules
	@mkdir -p $(KOUT)
	@rm -f $(KOUT)/*.ko
	@sed 's/\.o$$/.ko/; s|^[^/]|$(KTREE)/&|' $(KTREE)/modules.order | \
		xargs cp -t $(KOUT)

# one object for one who works on it: make object O=kmod/blk.o
object: ktree
	+@$(LOCK) $(KBUILD) O= $(O)

modules-all: $(addprefix modules-for-,$(KSERIES))

modules-for-%:
	$(if $(call newest,$*),,$(error no headers of Linux $* installed: \
		run "make deps", or install linux-headers-$*-amd64))
	@$(MAKE) --no-print-directory modules \
		KVER=$(call newest,$*) KDIR=/lib/modules/$(call newest,$*)/build

# for scripts: the kernels that modules-all builds for
kernels:
	@printf '%s\n' $(foreach s,$(KSERIES),$(call newest,$(s)))

# Links of deleted sources go, missing ones come; a checkout that was moved or
# copied with its build directory must not build the sources of the old one.
ktree: headers
	@mkdir -p $(addprefix $(KTREE)/,$(sort $(dir $(KSRC))))
	@$(LOCK) sh -e -c ' \
		find $(KTREE) -xtype l -delete; \
		for f in $(KSRC); do \
			[ $(KTREE)/$$f -ef $(CURDIR)/$$f ] || \
				ln -sfr $(CURDIR)/$$f $(KTREE)/$$f; \
		done'

headers:
	@test -n "$(KREL)" || { \
		echo "pvbus: no kernel build tree at $(KDIR): install" \
		     "linux-headers-$(KVER), or name another kernel with" \
		     "KVER= or KDIR= (make modules-all builds for Debian's)" \
		     >&2; \
		exit 1; }

tools:
	+@$(MAKE) --no-print-directory -C userspace all

install: modules_install tools_install

modules_install: modules
	+@$(LOCK) $(KBUILD) INSTALL_MOD_PATH=$(INSTALL_MOD_PATH) \
		INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) $(NOSIGN) modules_install
# a package's own scripts run depmod, and its staging tree lacks what it reads
ifeq ($(DESTDIR),)
	depmod -a $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)
endif

tools_install: tools
	+@$(MAKE) --no-print-directory -C userspace install

# What install puts there is seen from an install into a directory of its own.
uninstall: headers tools
	rm -rf $(MODDIR)
ifeq ($(DESTDIR),)
	depmod -a $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)
endif
	@rm -rf $(BUILD)/staged
	@$(MAKE) -s -C userspace install DESTDIR=$(BUILD)/staged
	@cd $(BUILD)/staged && find . -type f -printf '$(DESTDIR)/%P\n' | \
		xargs rm -fv

clean:
	@$(MAKE) --no-print-directory -C userspace clean
	rm -rf $(BUILD)

deps:
	@tests/deps

deps-build:
	@tests/deps build

check:
	@tests/check

check-unit check-stress check-static check-model check-fuzz check-lab: check-%:
	@tests/check $*

check-soak:
	@tests/soak

check-mutants:
	@tests/mutants/run

check-debug:
	@tests/check debug/all

fuzz:
	@tests/fuzz/run.sh

fuzz-coverage:
	@tests/fuzz/run.sh --coverage

demo:
	@tests/bench/demo

bench:
	@tests/bench/bench full

bench-quick:
	@tests/bench/bench quick

bench-ring:
	@tests/bench/ring/bench-ring

help:
	@echo 'Build (KVER=release or KDIR=directory choose another kernel):'
	@echo '  all             modules and tools (the default)'
	@echo '  modules         modules, into build/modules/RELEASE'
	@echo '  modules CONFIG_PVBUS_TESTS=m   and the modules that test them'
	@echo '  modules-all     modules for the newest installed headers of: $(KSERIES)'
	@echo '  tools           pvbusd, pvbusctl and libpvbus'
	@echo '  object O=FILE   one object of a module, such as O=kmod/main.o'
	@echo '  clean           remove what was built'
	@echo 'Install (PREFIX=$(PREFIX); DESTDIR=, INSTALL_MOD_PATH= for staging):'
	@echo '  install         modules, tools, manual pages and systemd units'
	@echo '  uninstall       the reverse, for the same kernel'
	@echo '  deps-build      Debian packages that the build needs, as root'
	@echo '  deps            those, and what check and demo need: QEMU, kernels'
	@echo 'Run:'
	@echo '  check           all tests (check-unit, -stress, -static, -model, -fuzz, -lab)'
	@echo '  check-soak      what can stop in the middle, for SOAK_TIME=3600 seconds'
	@echo '  check-mutants   each defence taken away, and a test fails without it'
	@echo '  check-debug     the lab on a kernel with KASAN, lockdep, kmemleak; hours'
	@echo '  fuzz            all fuzzers, FUZZ_TIME=60 seconds each'
	@echo '  fuzz-coverage   what the inputs of the fuzzers reach'
	@echo '  demo            compare with IDE, e1000 and virtio; results in build/demo'
	@echo '  bench           compare with each setting of the peers; in build/bench-full'
	@echo '  bench-quick     the most of that in 10 minutes; in build/bench-quick'
	@echo '  bench-ring      compare the ring with those of tools/virtio/ringtest'

.PHONY: all modules object modules-all kernels ktree headers tools install \
	modules_install tools_install uninstall clean deps \
	deps-build check check-unit check-stress check-static check-model \
	check-fuzz check-lab check-debug check-soak check-mutants fuzz \
	fuzz-coverage demo bench bench-quick bench-ring help
