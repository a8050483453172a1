# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: not ok 1 - a failure in a subshell counts

host() {
	echo line | while read -r _; do
		test_fail "a failure in a subshell counts"
	done
	test_ok "one that passes, after it"
}
