# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Who polls for his I/O gets it without an interrupt, beside others who do not;
# and when he stops polling, or the disk or the guest goes, nothing is stuck.

TIMEOUT=420
GUEST_TIMEOUT=200

POLL=(--name=polled --direct=1 --ioengine=io_uring --hipri=1 --thread=1)

guest_load() {
	lab_insmod pvbus && lab_insmod pvblk poll_queues="$1"
}

# One run, because starting fio costs more here than its I/O.
verified() {
	fio --filename="$1" --direct=1 --thread=1 --verify=crc32c --verify_fatal=1 \
		--verify_backlog=64 --size=8m \
		--name=deep --ioengine=io_uring --hipri=1 --rw=randrw --bs=4k \
		--iodepth=32 --io_size=4m \
		--name=one --stonewall --ioengine=io_uring --hipri=1 --rw=randwrite \
		--bs=4k --iodepth=1 --io_size=1m \
		--name=odd --stonewall --ioengine=io_uring --hipri=1 --rw=randrw \
		--bsrange=512-256k --blockalign=512 --iodepth=16 --io_size=8m \
		--name=flush --stonewall --ioengine=io_uring --hipri=1 --rw=randwrite \
		--bs=4k --iodepth=4 --sync=1 --io_size=512k
}

# Some poll, some do not, each in his part of the disk.
mixed() {
	fio --filename="$1" --direct=1 --thread=1 --verify=crc32c --verify_fatal=1 \
		--verify_backlog=64 --size=8m --bs=4k --rw=randrw --iodepth=8 \
		--name=polled --ioengine=io_uring --hipri=1 --numjobs=2 \
		--offset_increment=8m --io_size=4m \
		--name=other --ioengine=libaio --offset=16m \
		--io_size=4m
}

# Writes: fio does not mind to read nothing from a disk that is gone.
load() {
	exec fio "${POLL[@]}" --filename="$1" --rw=randwrite --bs=4k --iodepth=32 \
		--time_based --runtime="$2"
}

in_flight() {
	local count

	read -ra count <"/sys/block/$1/inflight" && echo $((count[0] + count[1]))
}

# poller_stop NAME: stops a poller, $POLLER, with requests in flight.
poller_stop() {
	local i

	for ((i = 0; i < 50; i++)); do
		kill -STOP "$POLLER"
		sleep 0.1
		[ "$(in_flight "$1")" = 0 ] || return 0
		kill -CONT "$POLLER"
		sleep 0.1
	done
	echo "nothing is in flight"
	return 1
}

all_found() {
	local i

	for ((i = 0; i < 100; i++)); do
		[ "$(in_flight "$1")" != 0 ] || return 0
		sleep 0.1
	done
	echo "$(in_flight "$1") requests of $1 are still in flight"
	return 1
}

unbind() {
	local dev

	for dev in /sys/bus/pvbus/drivers/pvblk/*:*; do
		echo "${dev##*/}" >/sys/bus/pvbus/drivers/pvblk/unbind || return
	done
}

works() {
	check "the drivers load" guest_load 1 || return
	check_equal "a guest with one CPU has a queue for polling beside its other" 2 \
		"$(find "/sys/block/$(basename "$(pvblk_disk root)")/mq" -mindepth 1 -maxdepth 1 | wc -l)"
	check_equal "the block layer says so" 1 "$(cat /sys/block/pvda/queue/io_poll)"
	check "polled I/O: depths, odd blocks, flushes" verified /dev/pvda
}

stops() {
	echo 1000 >/sys/block/pvda/queue/io_timeout
	load /dev/pvda 120 >/dev/null 2>&1 &
	POLLER=$!
	check "a poller runs" wait_io pvda
	check "it stops amid its requests" poller_stop pvda
	check "their completions are found all the same" all_found pvda
	echo 30000 >/sys/block/pvda/queue/io_timeout
	check "it stops once more" poller_stop pvda
	check "the driver is unbound meanwhile" timeout 15 bash -c \
		"$(declare -f unbind); unbind"
	kill -CONT "$POLLER"
	check_fails "the poller has lost its disk" wait "$POLLER"
	check "the drivers unload" lab_rmmod pvblk pvbus
	check "and load" guest_load 1 && wait_for /dev/pvda
}

# poll_queue COUNTER: of the queue that is polled, what the host has counted.
poll_queue() {
	pvbusctl stats vm1 --json |
		jq ".channels[] | select(.id == \"root\" and .queue == 1).$1"
}

goes() {
	local job

	guest_bg vm1 load /dev/pvda 120 && job=$GUEST_JOB
	check "a poller runs" guest vm1 wait_io pvda
	check "its disk is removed" pvbusctl remove vm1 root
	check_fails "and it gets an error" guest_wait vm1 "$job" 60
	check "the disk is added again" pvbusctl add-disk vm1 id=root,path=/dev/backing
	check "and is there" guest vm1 wait_for /dev/pvda
	guest_bg vm1 load /dev/pvda 120
	check "a poller runs" guest vm1 wait_io pvda
	check "the guest reboots under it" guest_reboot vm1
	check "the drivers load" guest vm1 guest_load 1
	check "polled I/O goes on" guest vm1 load /dev/pvda 1
}

few() {
	check "the drivers load" guest_load 2 || return
	check_equal "one queue, as there is one vector for it, and two for polling" 3 \
		"$(find "/sys/block/$(basename "$(pvblk_disk root)")/mq" -mindepth 1 -maxdepth 1 | wc -l)"
	check "two pollers and one who waits, verified" mixed "$(pvblk_disk root)"
	check_equal "who offers one queue" 0 \
		"$(cat "/sys/block/$(basename "$(pvblk_disk single)")/queue/io_poll")"
	check "is told what is missing" grep -q "give the disk queues=" <(dmesg)
}

host() {
	null_disk backing 64
	null_disk single 32
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	guest_tap vm1 works
	check "the queue for polling was used" test "$(poll_queue requests)" -gt 2000
	check_equal "and the guest not interrupted for it" 0 "$(poll_queue interrupts)"
	check "polled I/O beside other" guest vm1 mixed /dev/pvda
	check_equal "no interrupt for what is polled" 0 "$(poll_queue interrupts)"
	guest_tap vm1 stops
	goes
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing \
		--disk id=single,path=/dev/single,queues=1 || return
	VECTORS=2
	check "a guest with two CPUs and two vectors boots" pvbus_guest vm1 --smp 2 ||
		return
	guest_tap vm1 few
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
}
