# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: exit status 3

host() {
	test_ok "one that passes"
	exit 3
}
