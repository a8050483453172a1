# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A protocol version from the future, on either side: refused, in words that
# say which side to update.

TIMEOUT=240

one_line() {
	cp /run/pvbus-lab/vm1.err /run/err
	check_equal "$1: pvbusd says one line" 1 "$(wc -l </run/err)"
	check "$1: it names the versions and the remedy" \
		sh -c 'grep -E "protocol" /run/err | grep -E "7" | grep -iE "update|newer|older"'
}

guest_future() {
	lab_insmod pvbus protocol_min=7 protocol_max=9
	sleep 1
	dmesg | grep -E 'pvbus.*protocol.*7' | grep -iE 'update'
}

guest_past() {
	lab_insmod pvbus
	sleep 1
	dmesg | grep -E 'pvbus.*protocol.*7' | grep -iE 'update'
}

host() {
	null_disk backing 32
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	check "a guest of the future says why it is refused" guest vm1 guest_future
	check "its pvbusd ends" pvbusd_wait vm1
	one_line "guest of the future"
	check "the guest lives" guest vm1 true
	check "the bus unloads there" guest vm1 lab_rmmod pvbus
	check "the guest stops" guest_stop vm1
	check "the host module unloads" lab_rmmod pvbus_host

	check "a host of the future loads" pvbus_host_load protocol_min=7 protocol_max=9
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	check "the guest says why it is refused" guest vm1 guest_past
	check "its pvbusd ends" pvbusd_wait vm1
	one_line "host of the future"
	check "the guest lives" guest vm1 true
	check "the guest stops" guest_stop vm1
}
