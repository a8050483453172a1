# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: pass
# SHOWS: ok 3 - it is back

host() {
	kmsg_expect g 'Kernel panic - not syncing: sysrq triggered crash'
	kmsg_allow g 'BUG: kernel NULL pointer dereference'
	check "a guest boots" guest_start g
	check_equal "it dies under a command" 125 \
		"$(guest g sh -c 'echo c >/proc/sysrq-trigger' 2>/dev/null; echo $?)"
	check "it is back" guest_wait_up g
	check "it powers off" guest_stop g
}
