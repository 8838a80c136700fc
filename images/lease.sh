#!/usr/bin/busybox sh
# lease.sh NIC: once the NIC has a link, leases addresses on it and renews them, for as long as the machine runs: IPv4 by
# udhcpc, IPv6 by dhcpcd, as the routers announce it. With INGOT_VLAN=<id> on the kernel command line the boot NIC does
# so in that VLAN, and nowhere else.
. "${0%/*}/network.sh"
nic=$1
until read -r carrier <"/sys/class/net/$nic/carrier" && [ "$carrier" = 1 ]; do sleep 0.2; done 2>/dev/null

vlan=$(word INGOT_VLAN)
if [ -n "$vlan" ] && { [ -z "$(word BOOTIF)" ] || is_boot_nic "$nic"; }; then
  case $vlan in
    [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-3][0-9][0-9][0-9] | 40[0-8][0-9] | 409[0-4])
      modprobe -q 8021q 2>/dev/null
      # A name has at most 15 characters.
      name=$nic.$vlan
      [ ${#name} -gt 15 ] && name=vlan$vlan
      if wrong=$(ip link add link "$nic" name "$name" type vlan id "$vlan" 2>&1) && ip link set "$name" up; then
        say network "$nic is in VLAN $vlan, as $name"
        # The kernel would take an address from routers of the untagged network.
        echo 1 >"/proc/sys/net/ipv6/conf/$nic/disable_ipv6"
        nic=$name
      else
        say network "$nic: no VLAN $vlan, going on without: $wrong"
      fi
      ;;
    *) say network "INGOT_VLAN=$vlan is no VLAN, which has a number from 1 to 4094: going on without" ;;
  esac
fi

mkdir -p /var/lib/dhcpcd /run/dhcpcd
dhcpcd -6 -B -q -m "$(metric "$nic")" -f "${0%/*}/dhcpcd.conf" -c "${0%/*}/dhcpcd.sh" "$nic" >/dev/null 2>&1 &
exec udhcpc -f -i "$nic" -t 6 -T 2 -A 3 -O staticroutes -s "${0%/*}/udhcpc.sh" >/dev/null 2>&1
