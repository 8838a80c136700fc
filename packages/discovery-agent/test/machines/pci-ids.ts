/** What the machines here need of pci.ids, in its own format. */
export const pciIds = `#
#	List of PCI ID's
#
1000  Broadcom / LSI
	005d  MegaRAID SAS-3 3108 [Invader]
		1028 1f49  PERC H730 Mini
1002  Advanced Micro Devices, Inc. [AMD/ATI]
	164e  Raphael
	515e  ES1000
	740f  Aldebaran/MI200 [Instinct MI210]
1022  Advanced Micro Devices, Inc. [AMD]
	14a4  Genoa/Bergamo Root Complex
	14ab  Genoa/Bergamo PCI Bridge
102b  Matrox Electronics Systems Ltd.
	0536  Integrated Matrox G200eW3 Graphics Controller
10de  NVIDIA Corporation
	1eb8  TU104GL [Tesla T4]
		10de 12a2  Tesla T4
	22a3  GH100 [H100 NVSwitch]
	2330  GH100[H100 SXM5 80GB]
		10de 16c1  H100 SXM5 80GB
# a comment in the middle
	26b1  AD102GL [RTX 6000 Ada Generation]
1344  Micron Technology Inc
	51c0  7400 PRO NVMe SSD
144d  Samsung Electronics Co Ltd
	a80a  NVMe SSD Controller PM9A1/PM9A3/980PRO
		144d a813  NVMe SSD Controller PM9A3
15b3  Mellanox Technologies
	1015  MT27710 Family [ConnectX-4 Lx]
	1017  MT27800 Family [ConnectX-5]
	1021  MT2910 Family [ConnectX-7]
1a03  ASPEED Technology, Inc.
	2000  ASPEED Graphics Family
1af4  Red Hat, Inc.
	1041  Virtio 1.0 network device
	1042  Virtio 1.0 block device
	1050  Virtio 1.0 GPU
1da3  Habana Labs Ltd.
	1020  Gaudi2 AI Training Accelerator
1def  Ampere Computing, LLC
	e100  Altra PCI Express Root Complex A
8086  Intel Corporation
	0bd5  Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550]
	1521  I350 Gigabit Network Connection
	1533  I210 Gigabit Network Connection
	1563  Ethernet Controller X550
	1572  Ethernet Controller X710 for 10GbE SFP+
	43d2  Tiger Lake SATA AHCI Controller
	4c90  RocketLake-S GT1 [UHD Graphics P750]
ffff  Illegal Vendor ID
C 00  Unclassified device
	10  Not a device
`;
