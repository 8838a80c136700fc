#!/usr/bin/busybox sh
# Called by udhcpc for $interface with the lease in the environment. Every NIC keeps its own address and default route;
# the one that the firmware booted from wins, the others follow in the order of their index.
state=/run/ingot

say() {
  read -r up _ </proc/uptime
  echo "INGOT $up network $*" >/dev/console
}

metric() {
  read -r index <"/sys/class/net/$interface/ifindex"
  read -r mac <"/sys/class/net/$interface/address"
  boot=$(sed -n 's/.*BOOTIF=01-\([0-9A-Fa-f-]*\).*/\1/p' /proc/cmdline | tr 'A-F-' 'a-f:')
  if [ "$mac" = "$boot" ]; then echo 50; else echo $((100 + index)); fi
}

name_servers() {
  : >$state/leases/$interface.dns
  for server in $dns; do echo "nameserver $server" >>$state/leases/$interface.dns; done
  # The agent's own servers are in a file that comes first.
  cat $state/leases/*.dns | awk '!seen[$0]++' >$state/resolv.conf.new
  mv $state/resolv.conf.new $state/resolv.conf
}

case $1 in
  deconfig)
    ip -4 addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    prefix=${mask:-24}
    ip addr replace "$ip/$prefix" dev "$interface"
    metric=$(metric)
    for gateway in $router; do
      ip route replace default via "$gateway" dev "$interface" metric "$metric"
      break
    done
    name_servers
    [ "$1" = bound ] && say "$interface $ip/$prefix${router:+ via ${router%% *}}"
    ;;
  leasefail)
    say "$interface got no answer from a DHCP server, asking again"
    ;;
esac
exit 0
