#!/usr/bin/busybox sh
# Called by dhcpcd for $interface with what a router or a DHCPv6 server said in the environment. dhcpcd itself sets
# addresses and routes; here is what remains: name servers, and a line on the console.
. "${0%/*}/network.sh"

# A link-local address says nothing without its link.
scoped() {
  for server in "$@"; do
    case $server in
      fe80:*%*) echo "$server" ;;
      fe80:*) echo "$server%$interface" ;;
      *) echo "$server" ;;
    esac
  done
}

# The addresses of the link that last, in one line; said when they are others than before.
tell() {
  now=$(ip -6 addr show dev "$interface" | awk '/inet6/ && !/scope (link|host)|tentative|deprecated/ { printf "%s%s", sep, $2; sep = " " }')
  kept=$state/leases/$interface.ipv6
  before=
  [ -e "$kept" ] && read -r before <"$kept"
  [ "$now" = "$before" ] && return
  echo "$now" >"$kept"
  if [ -n "$now" ]; then say network "$interface $now"; else say network "$interface lost $before"; fi
}

case $reason in
  ROUTERADVERT)
    # Of several routers each has a number, of several options of one too.
    name_servers "$interface.router" $(scoped $(env | sed -n 's/^nd[0-9]*_rdnss[0-9]*_servers=//p'))
    tell
    ;;
  BOUND6 | RENEW6 | REBIND6 | REBOOT6 | INFORM6 | DELEGATED6)
    name_servers "$interface.dhcp6" $(scoped $new_dhcp6_name_servers)
    tell
    ;;
  EXPIRE6 | RELEASE6 | STOP6)
    name_servers "$interface.dhcp6"
    tell
    ;;
esac
exit 0
