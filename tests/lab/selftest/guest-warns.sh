# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: kernel log of g is clean
# SHOWS: lab_fault: a warning

guest_warn() {
	insmod "$LAB_FAULT/$(uname -r)/lab_fault.ko" what=warn
}

host() {
	check "a guest boots" guest_start g
	check "the module loads" guest g guest_warn
	check "the guest lives on" guest g true
}
