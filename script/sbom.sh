#!/bin/bash
# sbom.sh: what gensynth is made of, and what it is linked with on this machine,
# as SPDX 2.3 JSON on standard output.  The library has to be built.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e gensynth.so ] || { echo 'sbom: build first: make' >&2; exit 1; }
version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" gensynth.control)
digest=$(sha256sum gensynth.so | cut -d ' ' -f 1)
# of the commit, for two runs to give the same bytes
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}" +%Y-%m-%dT%H:%M:%SZ)

packages='' relations=''
while read -r library; do
    file=$(readlink -f "$library")
    read -r name release < <(dpkg-query -W -f '${source:Package} ${Version}\n' "$(dpkg-query -S "$file" "${file#/usr}" 2> /dev/null | sed 's/: .*//;q')" 2> /dev/null || echo "$(basename "$file") NOASSERTION")
    id=SPDXRef-$(echo "$name" | tr -c 'A-Za-z0-9.\n-' -)
    [[ $packages != *"\"$id\""* ]] || continue
    packages+=",
    {\"SPDXID\": \"$id\", \"name\": \"$name\", \"versionInfo\": \"$release\", \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false,
     \"licenseConcluded\": \"NOASSERTION\", \"licenseDeclared\": \"NOASSERTION\", \"copyrightText\": \"NOASSERTION\"}"
    relations+=",
    {\"spdxElementId\": \"SPDXRef-gensynth\", \"relationshipType\": \"DYNAMIC_LINK\", \"relatedSpdxElement\": \"$id\"}"
done < <(ldd gensynth.so | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort)

cat << END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "gensynth-$version",
  "documentNamespace": "https://gensynth.invalid/spdx/gensynth-$version-$digest",
  "creationInfo": {"created": "$created", "creators": ["Tool: script/sbom.sh"]},
  "packages": [
    {"SPDXID": "SPDXRef-gensynth", "name": "gensynth", "versionInfo": "$version", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
     "checksums": [{"algorithm": "SHA256", "checksumValue": "$digest"}],
     "licenseConcluded": "PostgreSQL", "licenseDeclared": "PostgreSQL", "copyrightText": "Copyright (c) 2026, the gensynth authors"}$packages
  ],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-gensynth"}$relations
  ]
}
END
