# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: the host VM said nothing for too long
# SHOWS: NMI: Not continuing

TIMEOUT=5

host() {
	test_ok "one that passes"
	insmod "$LAB_FAULT/$(uname -r)/lab_fault.ko" what=stuck
}
