# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: not ok 2 - kernel log of host has what is expected

host() {
	kmsg_expect host 'this line never appears'
	test_ok "one that passes"
}
