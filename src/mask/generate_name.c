/*
 * generate_name.c
 *	  Names, what is made of them, sex and birth date.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/generate_internal.h"

/* Forms from here on are of initials. */
#define INITIAL_FORM	12
#define LAST_FORM		13

static const char *const domains[] = {
	"example.com", "example.org", "example.com"
};

#define NDOMAINS		((int) (sizeof(domains) / sizeof(*domains)))

static void
put_name(GsFakeName *name, const char *text, int len, const char *latin,
		 int locale)
{
	if (len >= sizeof(name->text))
		len = sizeof(name->text) - 1;
	memcpy(name->text, text, len);
	name->text[len] = '\0';
	if (latin && latin[0])
		text = latin, len = strlen(latin);
	gs_fold_latin(text, len, locale, name->latin, sizeof(name->latin));
}

static uint64_t
hash_text(const char *text, int len)
{
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */

	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * UINT64_C(0x100000001b3);
	return hash * UINT64_C(0x9e3779b97f4a7c15);
}

/*
 * A name of the row's locale and sex.  Lists of no sex serve both.
 */
static void
draw_name(GsFake *fake, const GsData *data, uint64_t bits, GsFakeName *name)
{
	int			locale = gs_fake_locale(fake);
	const GsDataGroup *group =
		gs_data_group(data, locale,
					  gs_fake_sex(fake) == GS_SEX_MALE ? 'm' : 'f');
	uint32_t	row;
	const char *text;

	if (!group)
		group = gs_data_group(data, locale, 'x');
	row = gs_data_draw(data, group, group->first, group->first + group->n - 1,
					   bits);
	text = gs_data_field(data, row, GS_NAME_VALUE);
	put_name(name, text, strlen(text), gs_data_field(data, row, GS_NAME_LATIN),
			 locale);
	if (fake->setup->ascii && gs_data_field(data, row, GS_NAME_LATIN)[0])
		strcpy(name->text, gs_data_field(data, row, GS_NAME_LATIN));
}

/* The first or last name within a kept full name; false if there is none. */
static bool
part_of_full(const GsFake *fake, bool first, GsFakeText *part)
{
	const char *text = fake->kept[GS_KIND_FULL_NAME].text;
	int			len = fake->kept[GS_KIND_FULL_NAME].len;
	const char *comma;
	int			at;

	if (!text)
		return false;
	comma = memchr(text, ',', len);
	if (comma)
	{
		/* Walker, John */
		at = comma - text + 1;
		while (at < len && text[at] == ' ')
			at++;
		part->text = first ? text + at : text;
		part->len = first ? len - at : comma - text;
		return part->len > 0;
	}
	for (at = first ? 0 : len; first ? at < len : at > 0; at += first ? 1 : -1)
		if (first ? text[at] == ' ' : text[at - 1] == ' ')
			break;
	part->text = first ? text : text + at;
	part->len = first ? at : len - at;
	return part->len > 0;
}

/* A first or last name: kept, of the user's list, or drawn. */
static void
make_name(GsFake *fake, bool first, int again, GsFakeName *name)
{
	GsKindId	kind = first ? GS_KIND_FIRST_NAME : GS_KIND_LAST_NAME;
	const GsData *data = first ? &gs_data_first_names : &gs_data_last_names;
	uint64_t	bits = gs_fake_bits(fake, (first ? GS_TRAIT_FIRST :
										   GS_TRAIT_LAST) +
									again * GS_TRAIT_AGAIN);
	GsFakeText	kept = fake->kept[kind];
	const char *listed = NULL;

	if (kept.text || part_of_full(fake, first, &kept))
		put_name(name, kept.text, kept.len, NULL, gs_fake_locale(fake));
	else if (fake->setup->nlists > 0 &&
			 (listed = gs_fake_listed(fake, kind, gs_fake_locale(fake),
									  bits)) != NULL)
		put_name(name, listed, strlen(listed), NULL, gs_fake_locale(fake));
	else
		draw_name(fake, data, bits, name);
	if (name->latin[0] == '\0')
	{
		GsFakeName	other;

		/* of a script that says nothing here: any, but always the same */
		draw_name(fake, data, hash_text(name->text, strlen(name->text)),
				  &other);
		strcpy(name->latin, other.latin[0] ? other.latin : "user");
	}
}

/* The row's name, which is made once, or with again > 0 another one. */
static void
some_name(GsFake *fake, bool first, int again, GsFakeName *name)
{
	if (again > 0)
	{
		make_name(fake, first, again, name);
		return;
	}
	if (!fake->named[first])
		make_name(fake, first, 0, &fake->names[first]);
	fake->named[first] = true;
	strcpy(name->text, fake->names[first].text);
	strcpy(name->latin, fake->names[first].latin);
}

/*
 * gs_fake_first, gs_fake_last: the row's names; with again > 0 another one, if
 * the row does not keep it.
 */
void
gs_fake_first(GsFake *fake, int again, GsFakeName *name)
{
	some_name(fake, true, again, name);
}

void
gs_fake_last(GsFake *fake, int again, GsFakeName *name)
{
	some_name(fake, false, again, name);
}

/* Bytes of the first character. */
static int
first_char(const char *text)
{
	int			n = 1;

	while ((text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static int
single_name(GsFake *fake, bool first, int form, char *out)
{
	GsFakeName	name;

	if (form > LAST_FORM)
		return -1;
	some_name(fake, first, form < INITIAL_FORM ? form : 0, &name);
	if (form >= INITIAL_FORM)
		strcpy(name.text + first_char(name.text),
			   form == INITIAL_FORM ? "." : "");
	strcpy(out, name.text);
	return strlen(out);
}

static int
full_name(GsFake *fake, int form, char *out)
{
	GsFakeName	first;
	GsFakeName	last;

	/* others, then "J. Walker", and "J" at last */
	if (form > LAST_FORM)
		return -1;
	some_name(fake, true, form < INITIAL_FORM - 2 ? form : 0, &first);
	some_name(fake, false, form < INITIAL_FORM - 2 ? form : 0, &last);
	if (form >= INITIAL_FORM - 2)
		strcpy(first.text + first_char(first.text), ".");
	if (form == INITIAL_FORM - 1)
		strcpy(last.text + first_char(last.text), ".");
	if (form >= INITIAL_FORM)
	{
		if (form == LAST_FORM)
			first.text[first_char(first.text)] = '\0';
		strcpy(out, first.text);
	}
	else
	{
		bool		family = gs_fake_locale(fake) == GS_LOCALE_JA_JP;

		gs_put(gs_put_char(gs_put(out, family ? last.text : first.text), ' '),
			   family ? first.text : last.text);
	}
	return strlen(out);
}

/*
 * What stands before the @, or a user name: forms that people choose, then
 * shorter ones.  A suffix takes the place of the number that some have.
 */
static int
local_part(GsFake *fake, const GsFakeWant *want, int form, char *out)
{
	GsFakeName	first;
	GsFakeName	last;
	uint64_t	bits = gs_fake_bits(fake, GS_TRAIT_MAIL);
	int			style = form == 0 ? bits % 8 : 7 + form;
	char		number[24] = "";
	char	   *end = out;

	some_name(fake, true, 0, &first);
	some_name(fake, false, 0, &last);
	if (want->suffix_digits > 0)
		gs_put_number(number, want->suffix, want->suffix_digits);
	else if (style < 5)
		gs_put_number(number, (bits >> 32 & 0xffff) % 100, 2);
	switch (style)
	{
		case 0:
		case 1:
		case 2:
		case 5:
		case 6:
			end = gs_put(gs_put_char(gs_put(end, first.latin), '.'),
						 last.latin);
			break;
		case 3:
			end = gs_put(gs_put(end, first.latin), last.latin);
			break;
		case 4:
			end = gs_put(gs_put_char(gs_put_char(end, first.latin[0]), '.'),
						 last.latin);
			break;
		case 7:
			end = gs_put(gs_put_char(gs_put(end, first.latin), '_'),
						 last.latin);
			break;
		case 8:
			end = gs_put(gs_put_char(end, first.latin[0]), last.latin);
			break;
		case 9:
			end = gs_put(end, first.latin);
			break;
		case 10:
			end = gs_put_char(gs_put_char(end, first.latin[0]), last.latin[0]);
			break;
		case 11:
			end = gs_put_char(end, first.latin[0]);
			break;
		case 12:
			if (!number[0])
				end = gs_put_char(end, 'u');
			break;
		default:
			return -1;
	}
	return gs_put(end, number) - out;
}

static const char *
domain(const GsFake *fake)
{
	return domains[(gs_fake_bits(fake, GS_TRAIT_MAIL) >> 40) % NDOMAINS];
}

static int
email(GsFake *fake, const GsFakeWant *want, int form, char *out)
{
	int			n = local_part(fake, want, form < 6 ? form : form - 5, out);

	/* a domain of the TLD for tests is the shortest there is (RFC 2606) */
	if (n < 0)
		return -1;
	return gs_put(gs_put_char(out + n, '@'),
				  form >= 6 ? "x.test" : domain(fake)) - out;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * gs_fake_like: see generate.h.
 */
int
gs_fake_like(GsFake *fake, GsKindId kind, const GsFakeWant *want,
			 const char *form, char *buffer)
{
	const char *end = strchr(form, '@');
	int			runs = 0;
	int			run = 0;
	int			n = 0;
	GsFakeName	name[2];

	if (!end)
		end = form + strlen(form);
	for (const char *at = form; at < end; at++)
	{
		if (is_letter(*at))
			runs += at == form || !is_letter(at[-1]);
		else if (!strchr("0123456789._-", *at))
			return -1;
	}
	/* John.Walker83, j.walker or jwalker */
	if (runs < 1 || runs > 2 || end - form > 64)
		return -1;
	gs_fake_first(fake, 0, &name[0]);
	gs_fake_last(fake, 0, &name[1]);
	for (const char *at = form; at < end;)
	{
		int			len = 0;

		if (!is_letter(*at))
		{
			buffer[n++] = *at++;
			continue;
		}
		while (at + len < end && is_letter(at[len]))
			len++;
		if (runs == 1 && len == 1)
			return -1;
		if (runs == 1)
			n = gs_put(gs_put_char(buffer + n, name[0].latin[0]),
					   name[1].latin) - buffer;
		else if (len == 1)
			buffer[n++] = name[run].latin[0];
		else
			n = gs_put(buffer + n, name[run].latin) - buffer;
		run++;
		at += len;
	}
	buffer[n] = '\0';
	if (kind == GS_KIND_EMAIL)
		n = gs_put(gs_put_char(buffer + n, '@'), domain(fake)) - buffer;
	return want->max_chars == 0 || n <= want->max_chars ? n : -1;
}

/*
 * gs_fake_name: see generate_internal.h.
 */
int
gs_fake_name(GsFake *fake, GsKindId kind, const GsFakeWant *want, int form,
			 char *out)
{
	int			year;
	int			month;
	int			day;

	switch (kind)
	{
		case GS_KIND_FIRST_NAME:
			return single_name(fake, true, form, out);
		case GS_KIND_LAST_NAME:
			return single_name(fake, false, form, out);
		case GS_KIND_FULL_NAME:
			return full_name(fake, form, out);
		case GS_KIND_USER_NAME:
			return local_part(fake, want, form, out);
		case GS_KIND_EMAIL:
			return email(fake, want, form, out);
		case GS_KIND_SEX:
			if (form > 1)
				return -1;
			strcpy(out, gs_fake_sex(fake) == GS_SEX_MALE ?
				   (form == 0 ? "male" : "M") : (form == 0 ? "female" : "F"));
			return strlen(out);
		default:
			if (form > 0)
				return -1;
			gs_fake_civil(gs_fake_birth(fake), &year, &month, &day);
			return gs_put_number(gs_put_char(gs_put_number(gs_put_char(
				gs_put_number(out, year, 4), '-'), month, 2), '-'), day, 2) -
				out;
	}
}
