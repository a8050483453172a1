# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernels there are, and which are meant.

# By release: file that was installed, image that the lab boots, directory of
# modules ("" if it has none), image of the initramfs.
declare -A LAB_KERNEL_FILE=() LAB_KERNEL_IMAGE=() LAB_KERNEL_MODDIR=() LAB_KERNEL_INITRD=()

# kernel_installed: the releases of the stock kernels, oldest first.
kernel_installed() {
	local image

	for image in /boot/vmlinuz-*; do
		[ -d "/lib/modules/${image#/boot/vmlinuz-}" ] && echo "${image#/boot/vmlinuz-}"
	done | sort -V
}

# The release that a bzImage says it is (see the kernel's boot protocol).
_kernel_release() {
	local offset

	offset=$(od -An -tu2 -j 526 -N 2 "$1" | tr -d ' ')
	[ "${offset:-0}" -gt 0 ] || return
	tail -c +$((offset + 513)) "$1" | head -z -n 1 | tr -d '\0' | cut -d ' ' -f 1
}

# _kernel_unpacked IMAGE RELEASE: the ELF image inside a bzImage, which QEMU
# can boot if the kernel has CONFIG_PVH; otherwise IMAGE.  Unpacking is done
# here once instead of under emulation at each boot.
_kernel_unpacked() {
	local image out sects offset length
	local -a unpack

	image=$(realpath "$1")
	out=$LAB_BUILD/kernel/$2-$(stat -c '%n %s %Y' "$image" | sha256sum | cut -c 1-12)
	if [ ! -e "$out" ]; then
		mkdir -p "$LAB_BUILD/kernel"
		sects=$(od -An -tu1 -j 497 -N 1 "$image" | tr -d ' ')
		offset=$(od -An -tu4 -j 584 -N 4 "$image" | tr -d ' ')
		length=$(od -An -tu4 -j 588 -N 4 "$image" | tr -d ' ')
		offset=$(((sects + 1) * 512 + offset))
		case $(od -An -tx1 -j "$offset" -N 4 "$image") in
		" fd 37 7a 58") unpack=(xz -dcq) ;;
		" 28 b5 2f fd") unpack=(zstd -dcq) ;;
		" 1f 8b"*) unpack=(gzip -dcq) ;;
		*) unpack=(false) ;;
		esac
		# The decompressor complains of the size that follows the data.
		tail -c +$((offset + 1)) "$image" | head -c "$length" |
			"${unpack[@]}" >"$out.$$" 2>/dev/null
		_kernel_has_pvh "$out.$$" || ln -sf "$image" "$out.$$"
		mv "$out.$$" "$out"
	fi
	realpath "$out"
}

# The Xen note 18 (PHYS32_ENTRY) has the entry for a boot by PVH.
_kernel_has_pvh() {
	readelf -nW "$1" 2>/dev/null | grep -qE 'Xen .*0x00000012'
}

# kernel_select SPEC: sets KERNEL to the release of SPEC, which is a series
# (6.1), a release, "debug" for the one of debug-kernel, or IMAGE[:MODULE-DIRECTORY]
# for one built by hand.  Makes it known to the lab.
kernel_select() {
	local spec=$1 image moddir=

	if [ "$spec" = debug ] && ! spec=$("$LAB_DIR/debug-kernel" --cached); then
		echo "no debug kernel: tests/lab/debug-kernel builds it" >&2
		return 1
	fi
	if [[ $spec == */* ]]; then
		image=$(realpath -e "${spec%%:*}") || return
		[[ $spec == *:* ]] && { moddir=$(realpath -e "${spec#*:}") || return; }
		KERNEL=$(_kernel_release "$image")
		if [ -z "$KERNEL" ]; then
			echo "$image: not a kernel image" >&2
			return 1
		fi
	else
		KERNEL=$(kernel_installed | awk -v spec="$spec" '
			$0 == spec || (index($0, spec) == 1 &&
				substr($0, length(spec) + 1, 1) !~ /[0-9]/)' | tail -n 1)
		if [ -z "$KERNEL" ]; then
			echo "no kernel $spec (installed: $(kernel_installed | paste -sd ' '))" >&2
			return 1
		fi
		image=/boot/vmlinuz-$KERNEL
		moddir=/lib/modules/$KERNEL
	fi
	LAB_KERNEL_FILE[$KERNEL]=$image
	LAB_KERNEL_IMAGE[$KERNEL]=$(_kernel_unpacked "$image" "$KERNEL")
	LAB_KERNEL_MODDIR[$KERNEL]=$moddir
	LAB_KERNEL_INITRD[$KERNEL]=$(initramfs "$KERNEL" "$moddir")
}
