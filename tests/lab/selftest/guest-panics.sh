# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: guest g: died or rebooted under the command
# SHOWS: Kernel panic - not syncing: sysrq triggered crash

host() {
	check "a guest boots" guest_start g
	check "it stays alive" guest g sh -c 'echo c >/proc/sysrq-trigger'
}
