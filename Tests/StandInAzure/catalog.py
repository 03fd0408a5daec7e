"""What Azure tells of itself: places, sizes, images, quotas, providers, prices."""

from __future__ import annotations

import re

from web import Answer, Refusal, Request
from world import SUBSCRIPTION, Document, World

LOCATION = "westus2"
IMAGES = {("Canonical", "ubuntu-24_04-lts", "server"): ["24.04.202601160", "24.04.202602120", "24.04.202603200"]}
SIZES = {"Standard_D2s_v5": (2, 8), "Standard_D4s_v5": (4, 16), "Standard_D8s_v5": (8, 32)}
_FAMILY = "standardDSv5Family"
_ARTIFACTS = re.compile(
    r"/Microsoft\.Compute/locations/[^/]+/publishers(?:/(?P<publisher>[^/]+)/artifacttypes/vmimage/offers(?:/(?P<offer>[^/]+)"
    r"/skus(?:/(?P<sku>[^/]+)/versions(?:/(?P<version>[^/]+))?)?)?)?$",
    re.I,
)

# Dollars of an hour or a month, as the public list has them: what is sold, meter, sku, unit, size, price, kind.
_PRICES = [
    ("Virtual Machines", "Virtual Machines Dsv5 Series", "D4s v5", "1 Hour", "Standard_D4s_v5", 0.192, "Consumption"),
    (
        "Virtual Machines",
        "Virtual Machines Dsv5 Series",
        "D4s v5 Spot",
        "1 Hour",
        "Standard_D4s_v5",
        0.0453,
        "Consumption",
    ),
    (
        "Virtual Machines",
        "Virtual Machines Dsv5 Series",
        "D4s v5 Low Priority",
        "1 Hour",
        "Standard_D4s_v5",
        0.0384,
        "Consumption",
    ),
    (
        "Virtual Machines",
        "Virtual Machines Dsv5 Series Windows",
        "D4s v5",
        "1 Hour",
        "Standard_D4s_v5",
        0.376,
        "Consumption",
    ),
    ("Virtual Machines", "Virtual Machines Dsv5 Series", "D4s v5", "1 Hour", "Standard_D4s_v5", 1009.0, "Reservation"),
    ("Storage", "Premium SSD Managed Disks", "P6 LRS", "1/Month", "", 10.21, "Consumption"),
    ("Virtual Network", "IP Addresses", "Standard IPv4 Static Public IP", "1 Hour", "", 0.005, "Consumption"),
]


def route(world: World, request: Request) -> Answer | None:
    """The answer of a catalogue; None when the request is about something else."""
    path = request.path
    lower = path.lower()
    if found := _ARTIFACTS.search(path):
        return _images(found.groupdict(), request)
    if lower == f"/subscriptions/{SUBSCRIPTION}/locations":
        return Answer(
            200,
            {
                "value": [
                    {
                        "id": f"/subscriptions/{SUBSCRIPTION}/locations/{LOCATION}",
                        "name": LOCATION,
                        "displayName": "West US 2",
                        "regionalDisplayName": "(US) West US 2",
                        "type": "Region",
                        "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "geographyGroup": "US"},
                    }
                ]
            },
        )
    if lower.endswith("/usages") and "/microsoft.compute/locations/" in lower:
        return Answer(200, {"value": _usages(world)})
    if lower.endswith("/vmsizes"):
        return Answer(
            200,
            {
                "value": [
                    {
                        "name": name,
                        "numberOfCores": cores,
                        "memoryInMB": memory * 1024,
                        "maxDataDiskCount": cores * 2,
                        "osDiskSizeInMB": 1047552,
                        "resourceDiskSizeInMB": 0,
                    }
                    for name, (cores, memory) in SIZES.items()
                ]
            },
        )
    if lower.endswith("/providers/microsoft.compute/skus"):
        return Answer(200, {"value": [_sku(name, *size) for name, size in SIZES.items()]})
    if found := re.fullmatch(rf"/subscriptions/{SUBSCRIPTION}/providers(?:/([^/]+)(/register)?)?", path, re.I):
        providers = [found[1]] if found[1] else ["Microsoft.Compute", "Microsoft.Network", "Microsoft.DevTestLab"]
        listed = [_provider(name) for name in providers]
        return Answer(200, listed[0] if found[1] else {"value": listed})
    return None


def _images(asked: dict[str, str | None], request: Request) -> Answer:
    words = [asked["publisher"], asked["offer"], asked["sku"], asked["version"]]
    given = [word for word in words if word is not None]
    below: list[str] = []
    for urn, versions in IMAGES.items():
        for version in versions:
            full = [*urn, version]
            if all(a.lower() == b.lower() for a, b in zip(given, full)):
                below.append(full[len(given)] if len(given) < 4 else full[3])
    if not below:
        raise Refusal(404, "NotFound", f"Artifact: {'/'.join(given)} was not found.")
    names = sorted(set(below))
    if len(given) == 4:
        return Answer(200, _image(request.path, names[0]))
    if "desc" in request.query.get("$orderby", ""):
        names.reverse()
    names = names[: int(request.query.get("$top") or len(names))]
    return Answer(200, [{"location": LOCATION, "name": n, "id": f"{request.path}/{n}"} for n in names])


def _image(path: str, name: str) -> Document:
    return {
        "id": path,
        "name": name,
        "location": LOCATION,
        "properties": {
            "architecture": "x64",
            "hyperVGeneration": "V2",
            "osDiskImage": {"operatingSystem": "Linux"},
            "dataDiskImages": [],
            "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True},
            "features": [{"name": "SecurityType", "value": "TrustedLaunchSupported"}],
        },
    }


def _usages(world: World) -> list[Document]:
    def usage(name: str, words: str, current: int, limit: int) -> Document:
        return {
            "unit": "Count",
            "currentValue": current,
            "limit": limit,
            "name": {"value": name, "localizedValue": words},
        }

    limit = world.options.quota_cores
    cores = 0
    for key, vm in world.state["vms"].items():
        size = ((world.resources.get(key) or {}).get("properties", {}).get("hardwareProfile") or {}).get("vmSize")
        cores += SIZES.get(size, (0, 0))[0] if vm["power"] not in ("deallocated", "deallocating") else 0
    return [
        usage("cores", "Total Regional vCPUs", cores, limit),
        usage(_FAMILY, "Standard DSv5 Family vCPUs", cores, limit),
        usage("virtualMachines", "Virtual Machines", len(world.state["vms"]), 25000),
    ]


def _sku(name: str, cores: int, memory: int) -> Document:
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "family": _FAMILY,
        "locations": [LOCATION],
        "locationInfo": [{"location": LOCATION, "zones": ["1", "2", "3"]}],
        "restrictions": [],
        "capabilities": [{"name": "vCPUs", "value": str(cores)}, {"name": "MemoryGB", "value": str(memory)}],
    }


def _provider(name: str) -> Document:
    kinds = {
        "microsoft.compute": ["virtualMachines", "disks"],
        "microsoft.devtestlab": ["schedules"],
        "microsoft.network": ["networkSecurityGroups", "networkInterfaces", "virtualNetworks", "publicIPAddresses"],
    }
    versions = {"apiVersions": ["2024-07-01", "2022-01-01", "2018-09-15"], "locations": ["West US 2"]}
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered",
        "resourceTypes": [{"resourceType": kind, **versions} for kind in kinds.get(name.lower(), [])],
    }


def prices(request: Request) -> Answer:
    """The public price list, which wants no sign-in."""
    items = []
    for service, product, meter, unit, size, price, kind in _PRICES:
        items.append(
            {
                "currencyCode": "USD",
                "tierMinimumUnits": 0.0,
                "retailPrice": price,
                "unitPrice": price,
                "armRegionName": LOCATION,
                "location": "US West 2",
                "effectiveStartDate": "2025-01-01T00:00:00Z",
                "meterId": f"00000000-0000-0000-0000-{len(items):012d}",
                "meterName": meter,
                "productId": "DZH318Z0BPVW",
                "skuId": f"DZH318Z0BPVW/{len(items):04d}",
                "productName": product,
                "skuName": meter,
                "serviceName": service,
                "serviceId": "DZH313Z7MMC8",
                "serviceFamily": "Compute",
                "unitOfMeasure": unit,
                "type": kind,
                "isPrimaryMeterRegion": True,
                "armSkuName": size,
            }
        )
    for name, value in re.findall(r"(\w+) eq '([^']*)'", request.query.get("$filter", "")):
        items = [item for item in items if str(item.get(name)) == value]
    return Answer(
        200,
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items,
            "NextPageLink": None,
            "Count": len(items),
        },
    )
