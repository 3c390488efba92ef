#!/bin/bash
# Kinds: python-stdnum and phonenumbers judge the numbers that are made; skipped
# where they are not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import stdnum, phonenumbers' 2> /dev/null; then
    echo '1..0 # SKIP python-stdnum and phonenumbers are not installed'
    exit 0
fi
script/psql.sh -qAtF ' ' << 'SQL' | "$python" -c '
import collections, importlib, sys
import phonenumbers
judges = {"de_steuer_id": "de.idnr", "fr_nir": "fr.nir", "es_dni": "es.dni", "it_codice_fiscale": "it.codicefiscale", "nl_bsn": "nl.bsn",
          "pl_pesel": "pl.pesel", "br_cpf": "br.cpf", "br_cnpj": "br.cnpj", "jp_my_number": "jp.in_", "payment_card": "luhn", "iban": "iban",
          "mac": "mac"}
judges = {kind: importlib.import_module("stdnum." + module).is_valid for kind, module in judges.items()}
def phone(value, region=None):
    number = phonenumbers.parse(value, region)
    return phonenumbers.is_possible_number(number)
seen, wrong = collections.Counter(), collections.defaultdict(list)
for line in sys.stdin:
    kind, locale, value = line.rstrip("\n").split(" ", 2)
    right = phone(value, locale[3:]) if kind.startswith("phone") else judges[kind](value)
    seen[kind] += 1
    if not right:
        wrong[kind].append(value)
print("1..%d" % len(seen))
for i, kind in enumerate(sorted(seen)):
    print("%sok %d - %d of %s%s" % ("not " if wrong[kind] else "", i + 1, seen[kind], kind, " # " + " ".join(wrong[kind][:3]) if wrong[kind] else ""))
sys.exit(any(wrong.values()) or len(seen) != 14)
'
SELECT k, l, synth_fake(k, g::text, l)
FROM unnest('{phone,phone_national,de_steuer_id,fr_nir,es_dni,it_codice_fiscale,nl_bsn,pl_pesel,br_cpf,br_cnpj,jp_my_number,payment_card,iban,mac}'::text[]) k,
	unnest('{en_US,en_GB,de_DE,fr_FR,es_ES,it_IT,nl_NL,pl_PL,pt_BR,ja_JP}'::text[]) l, generate_series(1, 200) g;
SQL
