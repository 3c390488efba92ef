/*
 * generate_place.c
 *	  Places: a city with its state, postcode and coordinates.
 *
 * Postcodes begin as those of the city's state do, and go on by chance: there
 * is no free list of them for all ten countries.
 *
 * Plain C: no postgres.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mask/generate_internal.h"

/* How the rest of a postcode is filled, behind what it begins with. */
static const char *const postcodes[GS_LOCALE_COUNT] = {
	[GS_LOCALE_EN_US] = "#####",
	[GS_LOCALE_EN_GB] = "* #@@", /* the area has one letter or two */
	[GS_LOCALE_DE_DE] = "#####",
	[GS_LOCALE_FR_FR] = "#####",
	[GS_LOCALE_ES_ES] = "#####",
	[GS_LOCALE_IT_IT] = "#####",
	[GS_LOCALE_NL_NL] = "#### @@",
	[GS_LOCALE_PL_PL] = "##-###",
	[GS_LOCALE_PT_BR] = "#####-###",
	[GS_LOCALE_JA_JP] = "###-####"
};

/* @ the street, # a number */
static const char *const addresses[GS_LOCALE_COUNT] = {
	[GS_LOCALE_EN_US] = "# @",
	[GS_LOCALE_EN_GB] = "# @",
	[GS_LOCALE_DE_DE] = "@ #",
	[GS_LOCALE_FR_FR] = "# @",
	[GS_LOCALE_ES_ES] = "@, #",
	[GS_LOCALE_IT_IT] = "@, #",
	[GS_LOCALE_NL_NL] = "@ #",
	[GS_LOCALE_PL_PL] = "@ #",
	[GS_LOCALE_PT_BR] = "@, #",
	[GS_LOCALE_JA_JP] = "@#-#-#"
};

/* Whether a field of a row says the same as a text. */
static bool
says(const GsData *data, uint32_t row, int field, const GsFakeText *text)
{
	const char *own = gs_data_field(data, row, field);

	return own[0] && strlen(own) == text->len &&
		gs_same_text(own, text->text, text->len);
}

/* The row of gs_data_states that a kept state names; -1: none. */
static int
kept_state(GsFake *fake)
{
	static const GsKindId kinds[] = {GS_KIND_STATE_CODE, GS_KIND_STATE};
	const GsDataGroup *group = gs_data_group(&gs_data_states,
											 gs_fake_locale(fake), 'x');

	for (int k = 0; k < 2; k++)
	{
		const GsFakeText *text = &fake->kept[kinds[k]];

		for (uint32_t i = 0; i < group->n && text->text; i++)
			if (says(&gs_data_states, group->first + i, GS_STATE_CODE, text) ||
				says(&gs_data_states, group->first + i, GS_STATE_NAME, text) ||
				says(&gs_data_states, group->first + i, GS_STATE_LATIN, text))
				return group->first + i;
	}
	return -1;
}

/* The cities of a group that are in a state: they stand together. */
static bool
cities_of(const GsDataGroup *group, const char *state, uint32_t *first,
		  uint32_t *last)
{
	uint32_t	low = group->first;
	uint32_t	high = group->first + group->n;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (strcmp(gs_data_field(&gs_data_cities, middle, GS_CITY_STATE),
				   state) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	high = group->first + group->n;
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (strcmp(gs_data_field(&gs_data_cities, middle, GS_CITY_STATE),
				   state) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*last = low - 1;
	return low > *first;
}

/* A city by its name, among the rows from first to last of one state. */
static int
city_named(const GsFakeText *name, uint32_t first, uint32_t last)
{
	uint32_t	low = first;
	uint32_t	high = last + 1;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		const char *own = gs_data_field(&gs_data_cities, middle, GS_CITY_NAME);
		int			order = strncmp(own, name->text, name->len);

		if (order == 0 && own[name->len] == '\0')
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* The kept city, in a state (row of gs_data_states) or any; -1: none. */
static int
find_city(GsFake *fake, const GsFakeText *name, int state)
{
	const GsDataGroup *states = gs_data_group(&gs_data_states,
											  gs_fake_locale(fake), 'x');
	const GsDataGroup *cities = gs_data_group(&gs_data_cities,
											  gs_fake_locale(fake), 'x');

	for (uint32_t i = 0; i < states->n; i++)
	{
		uint32_t	first;
		uint32_t	last;
		int			found;

		if ((state < 0 || state == states->first + i) &&
			cities_of(cities, gs_data_field(&gs_data_states, states->first + i,
											GS_STATE_CODE), &first, &last) &&
			(found = city_named(name, first, last)) >= 0)
			return found;
	}
	return -1;
}

/*
 * The row of gs_data_cities that is the row's place: the kept city, within the
 * kept state, else one that is drawn by its population, or its again-th other.
 */
static int
place_of(GsFake *fake, int again)
{
	const GsDataGroup *group = gs_data_group(&gs_data_cities,
											 gs_fake_locale(fake), 'x');
	const GsFakeText *city = &fake->kept[GS_KIND_CITY];
	uint32_t	first = group->first;
	uint32_t	last = group->first + group->n - 1;
	int			state;

	if (fake->place >= 0 && again == 0)
		return fake->place;
	state = kept_state(fake);
	if (state >= 0 &&
		!cities_of(group, gs_data_field(&gs_data_states, state, GS_STATE_CODE),
				   &first, &last))
	{
		first = group->first;
		last = group->first + group->n - 1;
	}
	if (city->text && again == 0 &&
		(fake->place = find_city(fake, city, state)) >= 0)
		return fake->place;
	state = gs_data_draw(&gs_data_cities, group, first, last,
						 gs_fake_bits(fake, GS_TRAIT_PLACE +
									  again * GS_TRAIT_AGAIN));
	if (again == 0)
		fake->place = state;
	return state;
}

/* The row of gs_data_states that the row's place is in. */
static int
state_of(GsFake *fake)
{
	int			state = kept_state(fake);
	const GsDataGroup *group;
	const char *code;

	if (state >= 0)
		return state;
	group = gs_data_group(&gs_data_states, gs_fake_locale(fake), 'x');
	code = gs_data_field(&gs_data_cities, place_of(fake, 0), GS_CITY_STATE);
	for (state = group->first; state < group->first + group->n - 1; state++)
		if (strcmp(gs_data_field(&gs_data_states, state, GS_STATE_CODE),
				   code) == 0)
			break;
	return state;
}

static int
put(char *out, const char *text)
{
	return gs_put(out, text) - out;
}

/* The city with the shortest name of a locale. */
static uint32_t
shortest_city(const GsDataGroup *group)
{
	uint32_t	best = group->first;

	for (uint32_t i = 0; i < group->n; i++)
		if (strlen(gs_data_field(&gs_data_cities, group->first + i, 0)) <
			strlen(gs_data_field(&gs_data_cities, best, 0)))
			best = group->first + i;
	return best;
}

/* The city, or others where the name must be shorter. */
static int
city(GsFake *fake, int form, char *out)
{
	int			row = form < 15 ? place_of(fake, form) :
		shortest_city(gs_data_group(&gs_data_cities, gs_fake_locale(fake),
									'x'));
	const char *latin = gs_data_field(&gs_data_cities, row, GS_CITY_LATIN);

	return put(out, fake->setup->ascii && latin[0] ? latin :
			   gs_data_field(&gs_data_cities, row, GS_CITY_NAME));
}

static int
state_name(GsFake *fake, bool code, int form, char *out)
{
	int			row = state_of(fake);
	const char *latin = gs_data_field(&gs_data_states, row, GS_STATE_LATIN);

	if (form > 1)
		return -1;
	if (code || form == 1)
		return put(out, gs_data_field(&gs_data_states, row, GS_STATE_CODE));
	return put(out, fake->setup->ascii && latin[0] ? latin :
			   gs_data_field(&gs_data_states, row, GS_STATE_NAME));
}

/*
 * What a postcode begins with: one of a list such as 10,12-13, all equally
 * likely.
 */
static int
postcode_start(const char *list, GsFakeBits *bits, char *out)
{
	const char *at = list;
	int			total = 0;
	int			choice;

	for (int pass = 0; pass < 2; pass++, at = list)
	{
		choice = pass == 0 ? 0 : gs_fake_next(bits, total);
		while (*at)
		{
			int			width = strcspn(at, ",-");
			int			n = 1;

			if (at[width] == '-')
				n = atoi(at + width + 1) - atoi(at) + 1;
			if (pass == 0)
				total += n;
			else if (choice < n)
			{
				if (at[width] == '-')
					return gs_put_number(out, atoi(at) + choice, width) - out;
				memcpy(out, at, width);
				out[width] = '\0';
				return width;
			}
			else
				choice -= n;
			at += strcspn(at, ",");
			at += *at == ',';
		}
	}
	return 0;
}

static int
postcode(GsFake *fake, int form, char *out)
{
	int			locale = gs_fake_locale(fake);
	const char *rest = postcodes[locale];
	char		start[8];
	GsFakeBits	bits;
	int			n = 0;
	int			used = 0;

	/* the second form has no separators */
	if (form > 1)
		return -1;
	gs_fake_stream(fake, GS_TRAIT_POSTCODE, &bits);
	postcode_start(gs_data_field(&gs_data_states, state_of(fake),
								 GS_STATE_POSTCODES), &bits, start);
	for (; *rest; rest++)
	{
		if (*rest == '*')
			n = gs_put_number(gs_put(out + n, start),
							  1 + gs_fake_next(&bits, 19), 1) - out;
		else if (*rest == '#' && locale != GS_LOCALE_EN_GB && start[used])
			out[n++] = start[used++];
		else if (*rest == '#')
			out[n++] = '0' + gs_fake_next(&bits, 10);
		else if (*rest == '@')
			/* no letter that either country leaves out */
			out[n++] = "ABEGHJLNPRTWXZ"[gs_fake_next(&bits, 14)];
		else if (form == 0)
			out[n++] = *rest;
	}
	out[n] = '\0';
	return n;
}

static int
street_address(GsFake *fake, int form, char *out)
{
	int			locale = gs_fake_locale(fake);
	const GsDataGroup *group;
	const char *street;
	int			trait = GS_TRAIT_STREET + form * GS_TRAIT_AGAIN;
	GsFakeBits	bits;
	uint32_t	row;
	int			number;
	char	   *end = out;

	if (fake->setup->ascii && locale == GS_LOCALE_JA_JP)
		locale = GS_LOCALE_EN_US;
	group = gs_data_group(&gs_data_streets, locale, 'x');
	gs_fake_stream(fake, trait, &bits);
	row = gs_data_draw(&gs_data_streets, group, group->first,
					   group->first + group->n - 1,
					   gs_fake_bits(fake, trait));
	street = gs_data_field(&gs_data_streets, row, 0);
	number = 1 + gs_fake_next(&bits, locale == GS_LOCALE_EN_US ? 9999 : 199);
	if (form == 15)
		return sprintf(out, "%c %d", street[0] & 0x80 ? 'A' : street[0],
					   number % 9 + 1);
	/* a quarter, a block and a house there */
	if (locale == GS_LOCALE_JA_JP)
		number = 1 + number % 9;
	for (const char *at = addresses[locale]; *at; at++)
	{
		end = *at == '@' ? gs_put(end, street) :
			*at == '#' ? gs_put_number(end, number, 1) : gs_put_char(end, *at);
		if (*at == '#')
			number = 1 + gs_fake_next(&bits, 29);
	}
	return end - out;
}

/* Ten-thousandths of a degree, from four decimals. */
static int
degrees(const char *text)
{
	bool		negative = *text == '-';
	int			value = 0;

	for (text += negative; *text; text++)
		if (*text != '.')
			value = value * 10 + *text - '0';
	return negative ? -value : value;
}

/* Near the city, within 0.02 degrees; six decimals. */
static int
coordinate(GsFake *fake, bool latitude, char *out)
{
	uint64_t	bits = gs_fake_bits(fake, GS_TRAIT_NEAR);
	int			field = latitude ? GS_CITY_LATITUDE : GS_CITY_LONGITUDE;
	int			value = degrees(gs_data_field(&gs_data_cities,
											  place_of(fake, 0), field)) * 100;
	int			near = gs_fake_below(latitude ? bits : bits << 32, 40001);
	char	   *end;

	value += near - 20000;
	end = gs_put_number(gs_put(out, value < 0 ? "-" : ""),
						abs(value) / 1000000, 1);
	return gs_put_number(gs_put_char(end, '.'), abs(value) % 1000000, 6) - out;
}

static int
coordinates(GsFake *fake, char *out)
{
	char		longitude[16];
	char		latitude[16];

	coordinate(fake, false, longitude);
	coordinate(fake, true, latitude);
	return gs_put(gs_put(gs_put(gs_put(gs_put(out, "("), longitude), ","),
						 latitude), ")") - out;
}

/*
 * gs_fake_place: see generate_internal.h.
 */
int
gs_fake_place(GsFake *fake, GsKindId kind, const GsFakeWant *want, int form,
			  char *out)
{
	int			locale = gs_fake_locale(fake);

	switch (kind)
	{
		case GS_KIND_STREET_ADDRESS:
			return street_address(fake, form, out);
		case GS_KIND_CITY:
			return city(fake, form, out);
		case GS_KIND_POSTCODE:
			return postcode(fake, form, out);
		case GS_KIND_STATE:
			return state_name(fake, false, form, out);
		case GS_KIND_STATE_CODE:
			return state_name(fake, true, form, out);
		case GS_KIND_LATITUDE:
			return form > 0 ? -1 : coordinate(fake, true, out);
		case GS_KIND_LONGITUDE:
			return form > 0 ? -1 : coordinate(fake, false, out);
		case GS_KIND_COORDINATES:
			return form > 0 ? -1 : coordinates(fake, out);
		default:
			/* a country, or its code where there is no room */
			if (form > 1)
				return -1;
			if (kind == GS_KIND_COUNTRY && form == 0)
				return put(out, fake->setup->ascii &&
						   locale == GS_LOCALE_JA_JP ? "Japan" :
						   gs_country_name(locale));
			return sprintf(out, "%.2s", gs_locale_names[locale] + 3);
	}
}
