# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: kernel log of host is clean
# SHOWS: lab_fault: a warning

host() {
	check "the module loads" insmod "$LAB_FAULT/$(uname -r)/lab_fault.ko" what=warn
	rmmod lab_fault
}
