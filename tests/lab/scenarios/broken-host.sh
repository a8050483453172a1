# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# pvblk and pvnet with a host that does not keep to the rules (tests/broken, which
# is told by debugfs what to do wrong): completions forged, late, twice and never,
# wrong lengths, devices gone at any moment, silence. What is to come of it is one
# line that says why, an error for who asked for I/O, a device that works again when
# the host does, and modules that unload.

TIMEOUT=240
GUESTS=none

FAULTS=/sys/kernel/debug/pvbus-broken

# How long the block layer waits before it asks what becomes of a request, in ms,
# and up to a second more; the fourth time pvblk gives up.
IO_TIMEOUT=500

set_up() {
	sysctl -q net.ipv6.conf.default.disable_ipv6=1
	lab_insmod pvbus && lab_insmod pvblk && lab_insmod pvnet && lab_insmod pvbus_broken
}

# set NAME VALUE
set_fault() {
	echo "$2" >"$FAULTS/$1"
}

# inject DEVICE FAULT [TIMES [AFTER]]
inject() {
	set_fault times "${3:-0}" && set_fault after "${4:-0}" && set_fault "$1" "$2"
}

# lines MARK REGEX: how often that is in the kernel's log since.
lines() {
	kmsg_since "$1" | grep -cE "$2"
}

# --- the disk ---

# More than there are slots in the ring.
read_disk() {
	timeout $((30 * LAB_TIME_SCALE)) dd "if=$disk" of=/dev/null bs=4k count=200 iflag=direct
}

# write_disk: by way of the page cache.
write_disk() {
	timeout $((30 * LAB_TIME_SCALE)) \
		dd if=/dev/zero "of=$disk" bs=64k count=4 conv=fsync,notrunc
}

no_disk() {
	[ ! -b "$disk" ]
}

# silent: has the disk a request that has not been answered for a while? Before that,
# a reader that finds the disk gone takes it for one that ends there.
silent() {
	local before after

	read -ra before <"/sys/block/${disk##*/}/stat"
	sleep 0.5
	read -ra after <"/sys/block/${disk##*/}/stat"
	[ "${before[0]}" = "${after[0]}" ] && [ "${after[8]}" -gt 0 ]
}

find_disk() {
	disk=$(pvblk_disk disk) &&
		echo $IO_TIMEOUT >"/sys/block/${disk##*/}/queue/io_timeout"
}

# The host mends its ways, and offers the disk anew.
disk_anew() {
	inject disk none
	set_fault control rescind-disk && within 20 no_disk &&
		set_fault control offer-disk && find_disk && read_disk
}

# disk_breaks FAULT WORDS
disk_breaks() {
	kmsg_mark "disk $1"
	inject disk "$1" 0 20
	check_fails "disk: $1: an error" read_disk
	check_equal "disk: $1: one line says why" 1 \
		"$(lines "disk $1" "the host broke the protocol: $2")"
	check_equal "disk: $1: and one that it is the end" 1 \
		"$(lines "disk $1" "the host broke the protocol|given up")"
	check "disk: $1: it works again when offered anew" disk_anew
}

disk_closed() {
	[ $(($(cat "$FAULTS/open") & 1)) = 0 ]
}

# Before the channel is open, something is wrong in it.
disk_breaks_early() {
	set_fault control rescind-disk
	check "disk: early: the one before goes" within 20 no_disk
	kmsg_mark early
	inject disk early
	set_fault control offer-disk
	check "disk: early: one line says why" \
		within 10 lines early "the host broke the protocol: slot of completions with count"
	check "disk: early: the channel is closed again" within 10 disk_closed
	check "disk: early: there is no disk" no_disk
	check "disk: early: it works when offered anew" disk_anew
}

# disk_errs FAULT: of one request, and the next one is served.
disk_errs() {
	inject disk "$1" 1 20
	check_fails "disk: $1: an error" read_disk
	check "disk: $1: of this one only" read_disk
}

forged_completions() {
	disk_breaks tag-high "completion of a tag that does not exist"
	disk_breaks tag-free "completion of a tag that is not in use"
	disk_breaks cookie "completion of an earlier use of a tag"
	disk_breaks status "completion with an unknown status"
	disk_breaks count-none "slot of completions with count"
	disk_breaks count-high "slot of completions with count"
	disk_breaks count-more "completion of "
	disk_breaks reserved "slot of completions with count"
	disk_breaks twice "completion of a tag that is not in use"
	disk_breaks index "no room in the ring of requests"
	disk_breaks_early
}

errors() {
	local fault

	for fault in io inval range readonly nospc fault timeout; do
		disk_errs error-$fault
	done
	inject disk error-nomem 5 20
	check "disk: error-nomem: is tried again" read_disk
	inject disk error-io 1
	check_fails "disk: what was written later: an error" write_disk
	inject disk none
	check "disk: the next time it is written" write_disk
}

late_completions() {
	kmsg_mark late
	set_fault late_ms 2500
	inject disk late 1 20
	check "disk: late: is waited for" read_disk
	check "disk: late: and said" test "$(lines late "has not answered for .*still waiting")" -ge 1
	set_fault late_ms 12000
	inject disk late 1 20
	check_fails "disk: too late: an error" read_disk
	check_equal "disk: too late: one line says why" 1 "$(lines late "the disk is given up")"
	check "disk: too late: it works again when offered anew" disk_anew
	kmsg_mark never
	inject disk never 1 20
	check_fails "disk: never: an error" read_disk
	check_equal "disk: never: one line says why" 1 "$(lines never "the disk is given up")"
	check "disk: never: it works again when offered anew" disk_anew
}

# One after the other, and none that can be: of each kind of line, the kernel writes
# 10 within 5 s.
impossible_disks() {
	local i begun=$SECONDS few

	set_fault control rescind-disk
	check "disk: impossible: the one before goes" within 20 no_disk
	kmsg_mark impossible
	inject disk blob
	for ((i = 0; i < 100; i++)); do
		set_fault control offer-disk
		# or it is gone before its driver sees it
		sleep 0.02
		set_fault control rescind-disk
	done
	few=$((10 * ((SECONDS - begun) / 5 + 2)))
	check "disk: impossible: the log says why" \
		test "$(lines impossible "describes an impossible disk: the logical block size")" -ge 1
	check "disk: impossible: that it has failed, at most $few times" \
		test "$(lines impossible "probe.* failed with error")" -le "$few"
	inject disk none
	set_fault control offer-disk
	check "disk: impossible: one that is possible is found" find_disk
	check "disk: impossible: and works" read_disk
}

# went DISKSEQ: there is no such disk any more, be it that another one is there already.
went() {
	[ "$(cat "/sys/block/${disk##*/}/diskseq" 2>/dev/null)" != "$1" ]
}

# gone HOW BACK...: under I/O; BACK are words for the host, in order.
gone() {
	local how=$1 word load seq

	seq=$(cat "/sys/block/${disk##*/}/diskseq")
	disk_load "$disk" 60 2>/dev/null &
	load=$!
	wait_io "${disk##*/}"
	set_fault control "$how"
	check "disk: $how under I/O: it goes" within 20 went "$seq"
	check_fails "disk: $how: an error" wait $load
	for word in "${@:2}"; do
		set_fault control "$word"
	done
	check "disk: $how: and comes back" find_disk
	check "disk: $how: and works" read_disk
}

moments() {
	local load

	gone rescind-disk offer-disk
	gone down ready
	gone disown
	disk_load "$disk" 60 2>/dev/null &
	load=$!
	wait_io "${disk##*/}"
	set_fault control broken-disk
	check_fails "disk: stopped under I/O: an error" wait $load
	check "disk: it works again when offered anew" disk_anew
	# it answers nothing, and is gone
	inject disk never 0 20
	read_disk 2>/dev/null &
	load=$!
	check "disk: silent" within 20 silent
	set_fault control rescind-disk
	check_fails "disk: silent and rescinded: an error" wait $load
	check "disk: silent and rescinded: it goes" within 20 no_disk
	inject disk none
	set_fault control offer-disk
	check "disk: and comes back" find_disk
}

# --- the card ---

answers() {
	ping -c 1 -W 0.5 192.0.2.1
}

find_card() {
	local card

	card=$(pvnet_card card) || return
	ip link set "$card" name lan && ip addr add 192.0.2.2/24 dev lan && card_anew
}

# Down and up forgets how often it was reset, and who is there.
card_anew() {
	ip link set lan down && ip link set lan up &&
		ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:11 dev lan nud permanent &&
		within 5 answers
}

# card_breaks FAULT WORDS
card_breaks() {
	kmsg_mark "card $1"
	inject card "$1" 1
	answers >/dev/null
	check_equal "card: $1: one line says why" 1 \
		"$(lines "card $1" "the host broke the protocol: $2")"
	check "card: $1: it works again" card_anew
}

# card_drops FAULT: a packet is lost, and nothing else happens.
card_drops() {
	kmsg_mark "card $1"
	inject card "$1" 1
	check_fails "card: $1: the packet is lost" answers
	check "card: $1: but not the next" answers
	check_equal "card: $1: nothing breaks" 0 "$(lines "card $1" "broke the protocol|reset")"
}

broken_twice() {
	ping -c 1 -W 0.1 192.0.2.1
	[ "$(lines twice "broke the protocol")" = 2 ]
}

# Of two resets close to each other the second is put off for a second; a card that
# is set down and up meanwhile does not need it any more.
reset_put_off() {
	kmsg_mark twice
	inject card rx-type 2
	within 5 broken_twice
	ip link set lan down && ip link set lan up
	kmsg_mark anew
	sleep 2
	check_equal "card: set up anew, it is not reset for what was before" 0 \
		"$(lines anew "was reset")"
	check "card: and works" card_anew
}

given_up() {
	answers
	lines hopeless "out of service"
}

cards() {
	check "there is a card" find_card || return
	kmsg_mark reset
	inject card rx-type 1
	answers >/dev/null
	check "card: it resets itself" within 10 answers
	check_equal "card: and says so" 1 "$(lines reset "was reset")"
	reset_put_off
	card_breaks rx-flags "flags of a packet"
	card_breaks rx-reserved "flags of a packet"
	card_breaks rx-bufs-none "number of buffers of a packet"
	card_breaks rx-bufs-more "number of buffers of a packet"
	card_breaks rx-bufs-many "number of buffers of a packet"
	card_breaks rx-len-short "length of a packet"
	card_breaks rx-len-more "number of buffers of a packet"
	card_breaks rx-len-huge "length of a packet"
	card_breaks rx-id-high "packet in a buffer that does not exist"
	card_breaks rx-id-old "packet in a buffer that the host does not have"
	card_breaks rx-twice "packet in a buffer that the host does not have"
	card_breaks done-tag-high "notice of a tag that does not exist"
	card_breaks done-tag-free "notice of a tag that is not in use"
	card_breaks done-cookie "notice with the wrong cookie"
	card_breaks done-count-none "number of notices"
	card_breaks done-count-high "number of notices"
	card_breaks done-twice "notice of a tag that is not in use"
	card_drops rx-hdr-flags
	card_drops rx-hdr-gso
	card_drops rx-never
	kmsg_mark unsent
	inject card done-never
	# more than the card has tags, whatever the kernel charges for one
	ping -f -W 1 -S 212992 192.0.2.1 >/dev/null &
	check "card: packets never taken: it is reset" within 15 lines unsent "takes no packets: resetting"
	kill $!
	inject card none
	check "card: and works again" card_anew
	kmsg_mark hopeless
	inject card rx-flags
	check "card: broken again and again: it is given up" within 20 given_up
	inject card none
	check "card: set up again, it works" card_anew
	set_fault control broken-card
	check "card: stopped: it resets itself" within 10 answers
}

# --- hibernation ---

# As far as who opens /dev/snapshot to read or write an image gets.
save_image() {
	true </dev/snapshot
}

load_image() {
	true >/dev/snapshot
}

# While an image may be made, a host that comes back is not attached to.
hibernation_first() {
	local image

	set_fault control down
	check "hibernation: the host goes down" within 20 no_disk
	check "hibernation: then it is no matter" within 20 save_image
	exec {image}</dev/snapshot
	set_fault control ready
	sleep 3
	check "hibernation: a host that is back then has to wait" no_disk
	exec {image}<&-
	check "hibernation: until that is over" find_disk
	check "hibernation: and the disk works" read_disk
}

# Of this kernel, whose memory the host has.
hibernation() {
	check "hibernation: this kernel could" test -c /dev/snapshot
	kmsg_mark hibernation
	check_fails "hibernation: no image is made" save_image
	check_fails "hibernation: or loaded" load_image
	check_equal "hibernation: a line each says why" 2 \
		"$(lines hibernation "no hibernation while the host is attached")"
	check "hibernation: the disk works on" read_disk
	hibernation_first
}

# --- silence ---

unbind_disk() {
	local dev

	for dev in /sys/bus/pvbus/drivers/pvblk/*:*; do
		echo "${dev##*/}" >/sys/bus/pvbus/drivers/pvblk/unbind || return
	done
}

# Of the disk, the host says nothing any more: not even that it has closed it, for
# which the bus waits half a minute, while the cards are looked at.
silence_begins() {
	inject disk never
	set_fault mute 1
	kmsg_mark silence
	read_disk 2>/dev/null &
	READER=$!
	sleep 0.5
	unbind_disk &
	UNBINDER=$!
}

# The host speaks again, and offers the disk as another one.
bound_on_silence() {
	local max=/sys/module/pvbus/parameters/max_unconfirmed

	inject disk none
	set_fault mute 0
	set_fault control rescind-disk
	echo 1 >$max
	kmsg_mark bound
	check "silence: the disk is offered again" set_fault control offer-disk
	check "silence: its driver does not open it" \
		within 10 lines bound "no channel is opened any more: of 1 before"
	check "silence: which has then failed" within 10 lines bound "probe failed with error"
	check "silence: there is no disk" no_disk
	set_fault control rescind-disk
	echo 2 >$max
	check "silence: where more may be lost it is offered again" set_fault control offer-disk
	check "silence: and found" within 10 find_disk
	check "silence: and works" read_disk
}

silence_ends() {
	check "silence: the driver lets go of the disk" wait "$UNBINDER"
	check_fails "silence: who read has an error" wait "$READER"
	check_equal "silence: one line says that memory is lost" 1 \
		"$(lines silence "its memory is kept")"
	check_equal "silence: and one how much" 1 \
		"$(lines silence "stopped: 1 requests .* 1 pages that it may write to are lost")"
	bound_on_silence
	check "silence: the disk's driver unloads" lab_rmmod pvblk
}

# The card's driver waits for a host that then goes down, without a word.
death() {
	set_fault mute 3
	rmmod pvnet &
	sleep 1
	set_fault control down
	check "death: the card's driver unloads" wait $!
	check "and then the rest" lab_rmmod pvbus_broken pvbus
}

host() {
	local disk READER UNBINDER

	check "it is built (make modules-all CONFIG_PVBUS_TESTS=m)" \
		test -e "$REPO/build/modules/$(uname -r)/pvbus_broken.ko" || return
	check "the modules load" set_up || return
	check "there is a disk" find_disk || return
	check "it works" read_disk || return
	forged_completions
	errors
	late_completions
	impossible_disks
	moments
	hibernation
	silence_begins
	cards
	silence_ends
	death
}
