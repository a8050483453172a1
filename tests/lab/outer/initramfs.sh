# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The initramfs that boots a kernel in the lab.

# What init and the agent need; whatever a kernel has built in, or has under
# another name, is no error here but is found out at boot.
_BOOT_MODULES="virtio_pci 9p 9pnet_virtio overlay virtio_console configfs"

# Programs of which the initramfs has copies, put over the shared root.  In a
# guest, a request to the shared root is some twenty requests of the host VM
# to the build machine: starting a program from there takes half a second.
# Only what needs few libraries: the image is loaded at each boot.
_HOT_PROGRAMS="
	bash sh env mount umount mountpoint modprobe insmod rmmod lsmod modinfo ip
	cat chmod cp cut date dd dirname basename echo false head hostname id ln ls
	mkdir mkfifo mknod mktemp mv nproc od paste printf readlink realpath rm
	rmdir seq sleep sort stat stdbuf stty sync tac tail tee test timeout touch
	tr true truncate uname uniq wc cmp md5sum sha256sum comm join split
	find grep sed awk mawk xargs diff blockdev losetup lsblk dmesg flock
	setsid taskset ps pidof pgrep sysctl free kill busybox"

# The boot modules of release $1 in directory $2, dependencies first.
_initramfs_modules() {
	local base module

	[ -e "$2/modules.dep" ] || return 0
	# modprobe takes the directory above lib/modules/RELEASE only.
	base=$(mktemp -d) || return
	mkdir -p "$base/lib/modules"
	ln -s "$2" "$base/lib/modules/$1"
	for module in $_BOOT_MODULES; do
		modprobe -d "$base" -S "$1" --show-depends "$module" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | sed "s|^$base/lib/modules/$1|$2|"
	rm -r "$base"
}

_decompress() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# The files that the hot programs need, by their real directories.
_hot_files() {
	local program file
	local -a programs=()

	for program in $_HOT_PROGRAMS; do
		# Not installed here: then it is not missed here.
		file=$(type -P "$program") && programs+=("$file")
	done
	{
		printf '%s\n' "${programs[@]}" /etc/ld.so.cache
		ldd "${programs[@]}" 2>/dev/null | grep -o '/[^ ]*\.so[^ :]*'
		[ ! -e "$1/modules.dep" ] || ls "$1"/modules.*.bin
	} | if [ -L /bin ]; then sed -E 's,^/(bin|sbin|lib[0-9x]*)/,/usr/\1/,'; else cat; fi |
		sort -u
}

# _initramfs_tree DIR: puts together what is in the image, from the arrays
# modules and hot of the caller.
_initramfs_tree() {
	local module name link

	mkdir -p "$1"/{bin,dev,modules,hot}
	# Where /usr is merged these are links on the way to every program, and
	# 9p does not cache what a link says.
	for link in bin sbin lib lib32 lib64; do
		[ ! -L "/$link" ] || cp -d "/$link" "$1/hot/" || return
	done
	cp "$LAB_DIR/vm/init" "$1/init" &&
		cp "$(type -P busybox)" "$1/bin/busybox" &&
		cp -L --parents -t "$1/hot" "${hot[@]}" || return
	: >"$1/modules/order"
	for module in "${modules[@]}"; do
		name=${module##*/}
		name=${name%.ko*}.ko
		_decompress "$module" >"$1/modules/$name" || return
		echo "$name" >>"$1/modules/order"
	done
}

# initramfs RELEASE MODDIR: the path of the image, made if there is none for
# the same files.  Not compressed: reading it is cheaper than unpacking.
initramfs() {
	local key image tree
	local -a modules hot

	mapfile -t modules < <(_initramfs_modules "$1" "$2")
	mapfile -t hot < <(_hot_files "$2")
	key=$({
		cat "$LAB_DIR/vm/init" "$LAB_DIR/outer/initramfs.sh"
		stat -L -c '%n %s %Y' "${modules[@]}" "${hot[@]}"
	} | sha256sum | cut -c 1-12)
	image=$LAB_BUILD/initramfs/$1-$key.cpio
	if [ ! -e "$image" ]; then
		mkdir -p "$LAB_BUILD/initramfs"
		find "$LAB_BUILD/initramfs" -name '*.cpio' -mtime +0 -delete
		tree=$(mktemp -d) || return
		# Two runs may do this at the same time.
		_initramfs_tree "$tree" &&
			(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$image.$$" &&
			mv "$image.$$" "$image" || return
		rm -r "$tree"
	fi
	echo "$image"
}
