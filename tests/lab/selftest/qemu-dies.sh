# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: QEMU of guest g ends only when told

host() {
	check "a guest boots" guest_start g
	kill -SEGV "$(guest_pid g)"
	guest_wait_exit g 20
}
