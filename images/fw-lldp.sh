#!/usr/bin/busybox sh
# fw-lldp.sh NIC: some Intel adapters eat LLDP frames in firmware until told not to.
device=$(readlink "/sys/class/net/$1/device")
case $(readlink "/sys/class/net/$1/device/driver") in
  # Firmware of an X710 older than API 1.7 refuses the flag, and takes the command.
  */i40e)
    ethtool --set-priv-flags "$1" disable-fw-lldp on ||
      echo lldp stop >"/sys/kernel/debug/i40e/${device##*/}/command"
    ;;
  */ice) ethtool --set-priv-flags "$1" fw-lldp-agent off ;;
esac >/dev/null 2>&1
