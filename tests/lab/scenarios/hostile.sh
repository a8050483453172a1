# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A guest that breaks every rule, in turn and at random (tests/hostile), beside one
# that keeps to them. The good one's data are right, its disk and its card have at
# least half their rate, and the host says little, holds little memory of the other,
# answers, and lets go of everything, be it when QEMU is killed in the middle.
#
# "A core to itself" is said here and not left to the scheduler: what is the good
# guest's, its workers and its peer among them, has CPU 1, all else CPU 0. What does
# not stay there by itself are the other's workers, of which there are always new
# ones: they follow its QEMU into its cgroup. Rates are taken in turns, with the bad
# guest stopped and let go again, so that a busy machine slows both. While it is
# stopped a loop of the shell is on CPU 0: the CPUs that emulate those of the host VM
# are not its own, and one that is idle there makes the other faster. The network's
# load is a bounded one, so that what it takes of the CPU is the same in each turn.

TIMEOUT=240
GUEST_TIMEOUT=90

# --set SHORT=1: whether all goes well, and not how fast
SHORT=${SHORT-}
PAIRS=3
[ -z "$SHORT" ] || PAIRS=1
PIN_LIMIT_MB=8

EVIL_CGROUP=/sys/fs/cgroup/evil
# of the host VM
EVIL_CPU=${LAB_FIRST_CPU:-0} GOOD_CPU=$((EVIL_CPU + 1))

guest_setup() {
	pvbus_guest_load pvblk && pvblk_disk root && pvnet_guest lan 192.0.2.2 &&
		ping -c 1 -W 5 192.0.2.1
}

# Both go on until they are told to end, and then say whether all was well.
guest_disk() {
	fio --name=v --filename=/dev/pvda --direct=1 --ioengine=libaio --thread=1 \
		--rw=randwrite --bs=4k --iodepth=8 --size=16m --verify=crc32c \
		--verify_backlog=64 --verify_fatal=1 --time_based --runtime=1h >/run/fio 2>&1
	cat /run/fio
	grep -q '): err= 0:' /run/fio
}

guest_net() {
	iperf3 -c 192.0.2.1 -t 3600 -b 4M >/run/iperf 2>&1
	tail -n 5 /run/iperf
	grep -q 'the client has terminated' /run/iperf
}

guest_end() {
	kill -TERM "$(pgrep -o -x fio)" "$(pgrep -o -x iperf3)"
}

guest_evil_setup() {
	modprobe virtio_balloon && lab_insmod pvbus
}

# guest_attack NAME [PARAM=VALUE...]
guest_attack() {
	lab_test_module pvbus_hostile "$@" patience=$((5 * LAB_TIME_SCALE))
}

guest_trickle_end() {
	echo 0 >/sys/module/pvbus_hostile/parameters/trickle
}

cores() {
	printf '%x\n' $((1 << EVIL_CPU)) >/sys/devices/virtual/workqueue/cpumask &&
		mkdir $EVIL_CGROUP && echo "$EVIL_CPU" >$EVIL_CGROUP/cpuset.cpus &&
		guest_pid evil >$EVIL_CGROUP/cgroup.procs &&
		taskset -a -p -c "$GOOD_CPU" "$(guest_pid good)"
}

good_workers() {
	local pid

	for pid in $(worker_pids good); do
		taskset -p -c "$GOOD_CPU" "$pid" || return
	done
}

# watch: what the host says of the bad guest, and how long that takes it, in ms.
watch() {
	local begun

	while sleep 0.5; do
		begun=$(now_us)
		pvbusctl show evil --json >/run/evil.json 2>/dev/null || continue
		jq -r --arg ms $((($(now_us) - begun) / 1000)) \
			'[$ms, .vm.pinned, .vm.violations] | @tsv' /run/evil.json
	done >/run/watch
}

# most COLUMN: of what was watched.
most() {
	cut -f "$1" /run/watch | sort -n | tail -n 1
}

# rate: requests and KiB a second of the good guest's disk and card.
rate() {
	local before after us

	sleep 0.3
	mapfile -t before < <(counters)
	us=$(now_us)
	sleep 2.5
	mapfile -t after < <(counters)
	us=$(($(now_us) - us))
	echo $(((after[0] - before[0]) * 1000000 / us)) \
		$(((after[1] - before[1]) * 1000000 / us / 1024))
}

counters() {
	pvbusctl stats good --json |
		jq -r '.channels | map(select(.id == "root").completions),
			map(select(.id == "lan").bytes_in) | add'
}

# pairs: rates alone and beside the attack, and what the second is of the first in
# per cent. The balloon takes memory and gives it back meanwhile.
pairs() {
	local i alone beside spinner

	taskset -c "$EVIL_CPU" bash -c 'while :; do :; done' &
	spinner=$!
	kill -STOP $spinner
	for ((i = 0; i < PAIRS; i++)); do
		guest_monitor evil stop
		kill -CONT "$spinner"
		read -ra alone < <(rate)
		kill -STOP "$spinner"
		guest_monitor evil cont
		guest_monitor evil balloon $((i % 2 ? 1024 : 512))
		read -ra beside < <(rate)
		[ "${alone[0]}" -gt 0 ] && [ "${alone[1]}" -gt 0 ] || return
		echo "alone ${alone[*]}, beside ${beside[*]}" >>/run/rates
		echo $((100 * beside[0] / alone[0])) $((100 * beside[1] / alone[1]))
	done >/run/pairs
	kill -KILL $spinner
}

trickle() {
	local job sent waited

	guest_bg evil guest_attack trickle only=net_trickle trickle=1000
	job=$GUEST_JOB
	check "the other begins to take packets, now and then" \
		within 10 grep 1 /sys/class/net/evil0/carrier
	ip neigh replace 198.18.0.2 lladdr 02:00:00:00:00:02 dev evil0 nud permanent
	# two or three of these in a second are taken
	read -r sent waited < <("$LAB_DIR/send.py" 198.18.0.2 5)
	diag "$sent packets were sent to a guest that hardly takes any, $waited waits"
	# not how many a slow CPU can send: waits, of which the second until the guest is
	# known not to take packets has ten, and more packets than the socket's buffer holds
	check "who sends to it need not wait longer than until that is known" \
		test "$waited" -le 15
	check "and sends more than its buffer holds" test "$sent" -gt 500
	check "to a guest that is at it all the while" \
		guest evil guest_trickle_end
	check "which is its own affair" guest_wait evil "$job"
}

# nine_of_ten COLUMN: what nine of ten of what was watched are not above.
nine_of_ten() {
	cut -f "$1" /run/watch | sort -n |
		awk '{ of[NR] = $0 } END { print of[int((NR * 9 + 9) / 10)] }'
}

median() {
	cut -d ' ' -f "$1" /run/pairs | sort -n | sed -n $((PAIRS / 2 + 1))p
}

# attack NAME JOB [PARAM=VALUE...]: until it is over. The bad guest may do itself
# harm, which is nobody else's matter and is no end of the attack: once more then.
attack() {
	local name=$1 share status

	guest_wait evil "$2"
	status=$?
	if [ $status = 125 ]; then
		echo "$name: the bad guest has died; once more" >>/run/rates
		guest_wait_up evil && guest evil guest_evil_setup &&
			guest evil guest_attack "$name" "${@:3}"
		status=$?
	fi
	share=$(guest_share evil)
	echo "$name: $(grep -c '^ok' "$share/$name") of $(sed -n 's/^1\.\.//p' "$share/$name") passed" >>/run/rates
	return $status
}

host() {
	local disk net random cases lines seconds watcher

	check "the attack is built (make modules-all CONFIG_PVBUS_TESTS=m)" \
		test -e "$REPO/build/modules/$(uname -r)/pvbus_hostile.ko" || return
	taskset -p -c "$EVIL_CPU" $BASHPID
	null_disk good 64
	null_disk evil 64 cache_size=8
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start good --disk id=root,path=/dev/good \
		--net id=lan,ifname=good0 || return
	check "and another" pvbusd_start evil --pin-limit ${PIN_LIMIT_MB}M \
		--disk id=root,path=/dev/evil --net id=lan,ifname=evil0 || return
	ip addr add 192.0.2.1/24 dev good0 && ip link set good0 up
	ip addr add 198.18.0.1/24 dev evil0 && ip link set evil0 up
	pvbus_guest evil --no-wait -device virtio-balloon-pci
	check "a guest boots" pvbus_guest good || return
	check "and another" guest_wait_up evil || return
	check "each has its core" cores || return
	check "the good one has a disk and a card" guest good guest_setup || return
	taskset -c "$GOOD_CPU" iperf3 -s -D --pidfile /run/iperf.pid
	guest_bg good guest_disk && disk=$GUEST_JOB
	guest_bg good guest_net && net=$GUEST_JOB
	check "the other has the bus only" guest evil guest_evil_setup || return
	trickle
	check "the good one is busy" guest good wait_io pvda || return
	check "on its core" good_workers

	kmsg_mark attack
	seconds=$SECONDS
	watch &
	watcher=$!
	guest_bg evil guest_attack random only=none seconds=21 && random=$GUEST_JOB
	sleep 1
	check "rates are taken" pairs
	check "all at random" attack random "$random" only=none seconds=10
	guest_bg evil guest_attack cases && cases=$GUEST_JOB
	check "every rule in turn" attack cases "$cases"
	check "the good one has been busy all the time" guest good guest_end
	check "its disk is right" guest_wait good "$disk"
	check "and so is its network" guest_wait good "$net"
	diag </run/rates
	diag "disk: $(median 1) %, network: $(median 2) % of the rate alone"
	# what a kernel that looks at all it does needs for either is no measure of them
	if [ -z "$SHORT" ] && [[ $(uname -r) != *-debug* ]]; then
		check "the disk has half its rate" test "$(median 1)" -ge 50
		check "and so has the network" test "$(median 2)" -ge 50
	fi

	guest_bg evil guest_attack killed only=none seconds=60
	sleep 2
	check "QEMU is killed in the middle" guest_kill evil
	check "and pvbusd ends by itself" pvbusd_wait evil
	kill $watcher
	lines=$(kmsg_since attack | wc -l)
	seconds=$((SECONDS - seconds))
	diag "$lines lines in $seconds s, $(most 3) violations, $(most 2) bytes pinned"
	diag "nine of ten answers took no more than $(nine_of_ten 1) ms, all no more than $(most 1)"
	check "there was an attack" test "$(most 3)" -gt 400
	check "of which the host said little" test "$lines" -lt $((seconds * 2 + 100))
	check "and its daemon less" test "$(pvbusd_log evil | wc -l)" -lt 30
	check "and held little" test "$(most 2)" -le $((PIN_LIMIT_MB << 20))
	# who asks is on the CPU of the attack, and a busy machine may have that wait
	check "it answers in time" test "$(nine_of_ten 1)" -lt $((1000 * LAB_TIME_SCALE))
	check "and always answers" test "$(most 1)" -lt $((5000 * LAB_TIME_SCALE))
	check "the good one stops" guest_stop good
	check "the host module unloads" lab_rmmod pvbus_host
	rmdir $EVIL_CGROUP
}
