# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: the host VM died
# SHOWS: Kernel panic - not syncing: sysrq triggered crash

host() {
	test_ok "one that passes"
	echo c >/proc/sysrq-trigger
}
