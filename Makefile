# SPDX-License-Identifier: GPL-2.0
#
# pvbus: make builds the modules for one kernel and the tools.
# "make help" lists the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# of the kernel in KDIR, which need not be the running one
KREL = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)

BUILD := $(CURDIR)/build
# kbuild writes beside its sources: each kernel gets a tree of links
KTREE = $(BUILD)/kbuild/$(KREL)
KOUT = $(BUILD)/modules/$(KREL)
KSRC := Kbuild kmod guest-drivers include

all: modules tools

modules: ktree
	$(MAKE) -C $(KDIR) M=$(KTREE) $(KFLAGS) modules
	mkdir -p $(KOUT)
	cp $(KTREE)/kmod/*.ko $(KTREE)/guest-drivers/*.ko $(KOUT)/

# one object for one who works on it: make object O=kmod/blk.o
object: ktree
	$(MAKE) -C $(KDIR) M=$(KTREE) $(KFLAGS) $(O)

ktree:
	@test -n "$(KREL)" || { \
		echo "no kernel build tree in KDIR=$(KDIR):" \
		     "install linux-headers-$(KVER) or give KDIR=" >&2; \
		exit 1; }
	@mkdir -p $(KTREE)
	@find $(KTREE) -xtype l -delete
	@cp -rsu --remove-destination $(addprefix $(CURDIR)/,$(KSRC)) $(KTREE)/

.PHONY: all modules object ktree
