# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: the host VM died
# SHOWS: BUG: kernel NULL pointer dereference

host() {
	test_ok "one that passes"
	insmod "$LAB_FAULT/$(uname -r)/lab_fault.ko" what=oops
}
