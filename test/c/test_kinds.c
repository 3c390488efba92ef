/*
 * test_kinds.c
 *	  Kinds: their tests, check digits, and values that fit each other, in all
 *	  locales.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mask/dictionary.h"
#include "mask/generate.h"
#include "mask/national.h"
#include "numeric/philox.h"
#include "test.h"

static const GsFakeSetup anywhere = {.locale = -1};

static void
begin(GsFake *fake, const GsFakeSetup *setup, uint64_t row)
{
	uint64_t	random[2] = {gs_mix64(row, 1), gs_mix64(row, 2)};

	gs_fake_begin(fake, setup, random);
}

static int
value_of(GsFake *fake, GsKindId kind, int max_chars, char *out)
{
	GsFakeWant	want = {.max_chars = max_chars};

	return gs_fake_value(fake, kind, &want, out);
}

static bool
matches(const char *kind, const char *text)
{
	return gs_kind_matches(gs_kind_by_name(kind), text, strlen(text));
}

/* Numbers that others publish as examples, and the same with one changed. */
static void
test_published(void)
{
	static const char *const known[][3] = {
		{"us_ssn", "536-90-4399", "666-90-4399"},
		{"uk_nino", "PP 12 34 56 A", "QQ 12 34 56 A"},
		{"de_steuer_id", "36 574 261 809", "36 574 261 890"},
		{"fr_nir", "2 95 10 99 126 111 93", "2 95 10 99 126 112 93"},
		{"fr_nir", "253072B07300470", "253072A07300470"},
		{"es_dni", "54362315-K", "54362315-Z"},
		{"es_dni", "X-2482300W", "X-2482300A"},
		{"it_codice_fiscale", "RCCMNL83S18D969H", "RCCMNL83S18D967H"},
		{"nl_bsn", "1112.22.333", "1112.52.333"},
		{"pl_pesel", "44051401359", "44051401358"},
		{"br_cpf", "390.533.447-05", "231.002.999-00"},
		{"br_cnpj", "16.727.230/0001-97", "16.727.230.0001-98"},
		{"jp_my_number", "6214 9832 0257", "6214 9832 0256"},
		{"payment_card", "4242 4242 4242 4242", "4242 4242 4242 4241"},
		{"iban", "GR16 0110 1050 0000 1054 7023 795",
		"GR16 0110 1050 0000 1054 7023 796"},
		{"email", "john.walker83@example.com", "john.walker83@example"},
		{"email", "müller@bücher.example", "@example.com"},
		{"phone", "+1 (202) 555-0143", "202-555-0143"},
		{"ip", "203.0.113.7", "203.0.113.777"},
		{"ipv6", "2001:db8::7", "10:30"},
		{"mac", "02:00:5e:10:00:00", "02:00:5e:10:00"},
		{"uuid", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b"},
		{"url", "https://www.example.com/a", "example"},
		{"latitude", "-89.5", "90.5"},
		{"free_text", "Please call me at +12025550143, thanks.",
		"Please call me at noon, thanks."},
	};

	for (int i = 0; i < sizeof(known) / sizeof(*known); i++)
	{
		char		name[80];

		sprintf(name, "%s takes %.40s", known[i][0], known[i][1]);
		CHECK(matches(known[i][0], known[i][1]), name);
		sprintf(name, "%s refuses %.40s", known[i][0], known[i][2]);
		CHECK(!matches(known[i][0], known[i][2]), name);
	}
}

/* Each kind's values pass its own test in each locale, in any room. */
static void
test_all_kinds(void)
{
	for (int kind = 0; kind < GS_KIND_COUNT; kind++)
	{
		bool		right = true;
		bool		fit = true;
		bool		least = true;
		char		name[80];

		for (int locale = 0; locale < GS_LOCALE_COUNT; locale++)
			for (int row = 0; row < 200; row++)
			{
				GsFakeSetup setup = {.locale = locale};
				GsFake		fake;
				char		out[GS_FAKE_BYTES];
				int			room = 1 + row % 40;
				int			n;

				begin(&fake, &setup, row);
				n = value_of(&fake, kind, 0, out);
				right = right && n > 0 && n == strlen(out) &&
					(gs_kind_matches(&gs_kinds[kind], out, n) ||
					 kind == GS_KIND_FREE_TEXT);
				n = value_of(&fake, kind, room, out);
				fit = fit && (n < 0 || gs_utf8_chars(out, n) <= room);
				least = least && (n > 0 ? room >= gs_kinds[kind].shortest :
								  room < gs_kinds[kind].shortest + 14);
			}
		sprintf(name, "%s: values are of the kind", gs_kinds[kind].name);
		CHECK(right, name);
		sprintf(name, "%s: values fit the room there is",
				gs_kinds[kind].name);
		CHECK(fit && least, name);
	}
}

static void
test_row(void)
{
	bool		sex = true;
	bool		mail = true;
	bool		place = true;
	bool		order = true;
	bool		birth = true;

	for (int row = 0; row < 500; row++)
	{
		GsFake		fake;
		char		first[GS_FAKE_BYTES];
		char		last[GS_FAKE_BYTES];
		char		other[GS_FAKE_BYTES];
		const GsDataGroup *group;
		bool		found = false;

		begin(&fake, &anywhere, row);
		gs_fake_keep(&fake, GS_KIND_SEX, "F", 1);
		gs_fake_keep(&fake, GS_KIND_COUNTRY, "Deutschland", 11);
		gs_fake_keep(&fake, GS_KIND_STATE, "Bayern", 6);
		value_of(&fake, GS_KIND_FIRST_NAME, 0, first);
		group = gs_data_group(&gs_data_first_names, GS_LOCALE_DE_DE, 'f');
		for (uint32_t i = 0; i < group->n && !found; i++)
			found = strcmp(gs_data_field(&gs_data_first_names,
										 group->first + i, 0), first) == 0;
		sex = sex && found;

		value_of(&fake, GS_KIND_LAST_NAME, 0, last);
		value_of(&fake, GS_KIND_FULL_NAME, 0, other);
		mail = mail && strstr(other, first) && strstr(other, last);
		gs_fold_latin(last, strlen(last), GS_LOCALE_DE_DE, last, sizeof(last));
		value_of(&fake, GS_KIND_EMAIL, 0, other);
		mail = mail && strstr(other, last) && strstr(other, "@example.");

		value_of(&fake, GS_KIND_POSTCODE, 0, other);
		place = place && (other[0] == '8' || other[0] == '9');
		value_of(&fake, GS_KIND_LATITUDE, 0, other);
		place = place && (other[0] == '4' || other[0] == '5') &&
			strlen(other) == 9;
		value_of(&fake, GS_KIND_COUNTRY_CODE, 0, other);
		place = place && strcmp(other, "DE") == 0;

		/* the same, asked for in another order */
		begin(&fake, &anywhere, row);
		value_of(&fake, GS_KIND_EMAIL, 0, first);
		begin(&fake, &anywhere, row);
		value_of(&fake, GS_KIND_CITY, 3, other);
		value_of(&fake, GS_KIND_BR_CPF, 0, other);
		value_of(&fake, GS_KIND_EMAIL, 0, other);
		order = order && strcmp(first, other) == 0;

		begin(&fake, &anywhere, row);
		gs_fake_keep_birth(&fake, 0, 364);
		value_of(&fake, GS_KIND_BIRTH_DATE, 0, other);
		birth = birth && strncmp(other, "1970-", 5) == 0;
		value_of(&fake, GS_KIND_PL_PESEL, 0, other);
		birth = birth && strncmp(other, "70", 2) == 0;
	}
	CHECK(sex, "first names fit the sex that the row keeps");
	CHECK(mail, "full names and e-mail addresses are of the row's names");
	CHECK(place, "postcode, latitude and country fit the state");
	CHECK(order, "a value does not depend on what else is made");
	CHECK(birth, "birth dates are within what is asked, and numbers have them");
}

/* What a row keeps: names of other scripts and in one column. */
static void
test_kept(void)
{
	GsFake		fake;
	char		out[GS_FAKE_BYTES];
	char		again[GS_FAKE_BYTES];

	begin(&fake, &anywhere, 1);
	gs_fake_keep(&fake, GS_KIND_FULL_NAME, "Gonçalves, Luís", 17);
	value_of(&fake, GS_KIND_USER_NAME, 0, out);
	CHECK(strstr(out, "goncalves"), "of a full name that stays, last first");
	begin(&fake, &anywhere, 1);
	gs_fake_keep(&fake, GS_KIND_FULL_NAME, "Łukasz Żak", 13);
	value_of(&fake, GS_KIND_EMAIL, 0, out);
	CHECK(strstr(out, "zak") && (unsigned char) out[0] < 0x80,
		  "letters with marks become those of ASCII");
	begin(&fake, &anywhere, 1);
	gs_fake_keep(&fake, GS_KIND_LAST_NAME, "葛城", 6);
	value_of(&fake, GS_KIND_EMAIL, 0, out);
	begin(&fake, &anywhere, 1);
	gs_fake_keep(&fake, GS_KIND_LAST_NAME, "葛城", 6);
	value_of(&fake, GS_KIND_EMAIL, 0, again);
	CHECK(strchr(out, '@') > out + 1 && strcmp(out, again) == 0,
		  "names without Latin letters have an address all the same");
	begin(&fake, &anywhere, 1);
	gs_fake_keep(&fake, GS_KIND_CITY, "Omaha", 5);
	value_of(&fake, GS_KIND_STATE_CODE, 0, out);
	CHECK(strcmp(out, "NE") == 0, "the state of a city that stays");
}

static void
test_unique(void)
{
	static char seen[10000];
	bool		distinct = true;
	bool		short_ones = true;

	for (int row = 0; row < 10000; row++)
	{
		GsFakeWant	want = {.suffix = row, .suffix_digits = 4};
		GsFake		fake;
		char		out[GS_FAKE_BYTES];

		begin(&fake, &anywhere, row);
		gs_fake_value(&fake, GS_KIND_EMAIL, &want, out);
		distinct = distinct && strstr(out, "@example") &&
			!seen[atoi(strchr(out, '@') - 4)]++;
		want.max_chars = 11;
		short_ones = short_ones &&
			gs_fake_value(&fake, GS_KIND_EMAIL, &want, out) == 11 &&
			atoi(out) == row;
	}
	CHECK(distinct, "a suffix makes e-mail addresses distinct");
	CHECK(short_ones, "also where there is room for nothing else");
}

static void
test_room_and_digits(void)
{
	GsFake		fake;
	char		out[GS_FAKE_BYTES];
	GsFakeWant	digits = {.max_chars = 18, .digits = true};

	begin(&fake, &anywhere, 7);
	CHECK(value_of(&fake, GS_KIND_EMAIL, 10, out) > 0 &&
		  matches("email", out), "an e-mail address in ten characters");
	CHECK(value_of(&fake, GS_KIND_EMAIL, 7, out) < 0, "but not in seven");
	CHECK(value_of(&fake, GS_KIND_UUID, 35, out) < 0, "a uuid has one form");
	CHECK(gs_fake_value(&fake, GS_KIND_US_SSN, &digits, out) == 9 &&
		  out[0] == '9', "a number for bigint");
	CHECK(gs_fake_value(&fake, GS_KIND_EMAIL, &digits, out) < 0,
		  "no e-mail address of digits");
	digits.max_chars = 10;
	CHECK(gs_fake_value(&fake, GS_KIND_PHONE, &digits, out) == 10,
		  "a phone number without its country where it must be short");
}

/* Of random digits as many pass as there are check digits for. */
static void
test_chance(void)
{
	int			passed = 0;

	for (int i = 0; i < 100000; i++)
	{
		char		number[16];

		sprintf(number, "%011llu", (unsigned long long)
				(gs_mix64(i, 3) % 100000000000));
		passed += matches("br_cpf", number);
	}
	CHECK(passed > 800 && passed < 1200, "1 % of numbers passes as CPF");
}

static void
test_lists(void)
{
	static const char *const values[] = {"Zaphod", "Trillian"};
	static const double upto[] = {0.25, 1};
	GsFakeList	list = {GS_KIND_FIRST_NAME, -1, 2, values, upto};
	GsFakeSetup setup = {.locale = -1, .lists = &list, .nlists = 1};
	int			zaphod = 0;
	bool		mail = true;

	for (int row = 0; row < 2000; row++)
	{
		GsFake		fake;
		char		out[GS_FAKE_BYTES];

		begin(&fake, &setup, row);
		value_of(&fake, GS_KIND_FULL_NAME, 0, out);
		zaphod += strncmp(out, "Zaphod ", 7) == 0;
		mail = mail && (out[0] == 'Z' || out[0] == 'T');
	}
	CHECK(mail && zaphod > 420 && zaphod < 580,
		  "own lists are drawn from by weight, in other kinds too");
}

static void
test_ascii(void)
{
	bool		ascii = true;

	for (int kind = 0; kind < GS_KIND_COUNT; kind++)
		for (int row = 0; row < 1000; row++)
		{
			GsFakeSetup setup = {.locale = row % 10, .ascii = true};
			GsFake		fake;
			char		out[GS_FAKE_BYTES];

			begin(&fake, &setup, row);
			ascii = ascii && value_of(&fake, kind, 0, out) > 0;
			for (const char *at = out; *at && ascii; at++)
				ascii = (*at & 0x80) == 0;
		}
	CHECK(ascii, "all kinds can be had in ASCII");
}

int
main(void)
{
	test_published();
	test_all_kinds();
	test_row();
	test_kept();
	test_unique();
	test_room_and_digits();
	test_chance();
	test_lists();
	test_ascii();
	return test_done();
}
