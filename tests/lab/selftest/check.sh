# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: not ok 1 - a check that fails
# SHOWS: cannot access '/nonexistent'

host() {
	check "a check that fails" ls /nonexistent
	test_ok "one that passes, after it"
}
