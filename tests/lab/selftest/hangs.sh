# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: not ok 2 - the scenario ends within
# SHOWS: processes of the scenario

TIMEOUT=5

host() {
	test_ok "one that passes"
	sleep 1000 & # must not outlive the scenario
	sleep 1000
}
