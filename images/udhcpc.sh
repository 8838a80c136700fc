#!/usr/bin/busybox sh
# Called by udhcpc for $interface with the lease in the environment.
. "${0%/*}/network.sh"
kept=$state/leases/$interface.lease
# There while nobody has answered: it is asked every quarter of a minute, for as long as the machine waits.
silence=$state/leases/$interface.silence

# Takes every IPv4 address of the NIC, and with the last of them the kernel takes the routes.
clear_nic() {
  ip -4 addr flush dev "$interface"
}

default_route() {
  ip route replace default via "$1" dev "$interface" metric "$metric" 2>/dev/null && return
  # A router outside of the own network, as clouds and /32 leases have it.
  ip route replace "$1" dev "$interface" && ip route replace default via "$1" dev "$interface" metric "$metric"
}

routes() {
  metric=$(metric "$interface")
  if [ -z "$staticroutes" ]; then
    for gateway in $router; do
      default_route "$gateway"
      return
    done
    return
  fi
  # Option 121, pairs of network and router: who sends it means it in place of option 3 (RFC 3442).
  set -- $staticroutes
  while [ $# -ge 2 ]; do
    case $1 in
      0.0.0.0/0) default_route "$2" ;;
      *)
        # 0.0.0.0: on the link itself
        if [ "$2" = 0.0.0.0 ]; then ip route replace "$1" dev "$interface" metric "$metric"
        else ip route replace "$1" via "$2" dev "$interface" metric "$metric"; fi
        ;;
    esac
    shift 2
  done
}

case $1 in
  # At the start, and when a lease has run out or was refused: nothing of it may stay.
  deconfig)
    clear_nic
    ip link set "$interface" up
    if [ -e "$kept" ]; then
      read -r before <"$kept"
      say network "$interface lost ${before%% *}, asking for another address"
      rm -f "$kept"
      name_servers "$interface"
    fi
    ;;
  # A server may change anything when it renews.
  bound | renew)
    lease="$ip/${mask:-24}${router:+ via ${router%% *}}"
    now="$lease $staticroutes"
    before=
    [ -e "$kept" ] && read -r before <"$kept"
    # read takes the blank at the end
    if [ "$before" != "${now% }" ]; then
      clear_nic
      ip addr add "$ip/${mask:-24}" dev "$interface"
      routes
      echo "$now" >"$kept"
      say network "$interface $lease${before:+, before ${before%% *}}"
    fi
    name_servers "$interface" $dns
    rm -f "$silence"
    ;;
  nak)
    say network "$interface: the DHCP server refuses the address${message:+: $message}"
    ;;
  leasefail)
    [ -e "$silence" ] || say network "$interface got no answer from a DHCP server, and goes on asking"
    : >"$silence"
    ;;
esac
exit 0
