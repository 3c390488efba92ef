/*
 * pii_name.c
 *	  What the name of a column says about its values, by words of English,
 *	  German, French, Spanish, Italian, Dutch, Polish, Portuguese and Japanese.
 *
 * A name is split where case changes, and at what is neither letter nor digit;
 * marks of letters do not count.  Each run of words is looked up, joined:
 * first_name, FirstName and firstname are the same.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/dictionary.h"
#include "mask/pii.h"

#define MOST_WORDS		12
#define RUN_WORDS		4		/* of the longest entry */
#define WORD_BYTES		128

typedef struct NameEntry
{
	GsKindId	kind;
	int			strength;		/* 3: means nothing else; 1: often does */
	const char *words;			/* separated by spaces */
} NameEntry;

static const NameEntry entries[] = {
	{GS_KIND_EMAIL, 3, "email emailaddress emails mailaddress emailadresse "
		"mailadresse courriel adressemail adresseemail adressecourriel correo "
		"correoelectronico indirizzoemail postaelettronica emailadres "
		"adresemail adresmail poczta enderecoemail correioeletronico "
		"メール メールアドレス 電子メール"},
	{GS_KIND_EMAIL, 2, "mail"},
	{GS_KIND_PHONE, 3, "phone phonenumber phoneno telephone telephonenumber "
		"tel telno telnr cellphone mobilephone mobilenumber mobileno fax "
		"faxnumber faxno homephone workphone telefon telefonnummer telefonnr "
		"handy handynummer handynr mobilnummer rufnummer festnetz faxnummer "
		"numerotelephone numerodetelephone telefono numerotelefono "
		"numerodetelefono celular movil cellulare numerocellulare "
		"telefoonnummer telefoon mobielnummer numertelefonu telefonu "
		"komorka telefone numerotelefone msisdn "
		"電話 電話番号 携帯電話 携帯番号 ファックス"},
	{GS_KIND_PHONE, 2, "mobile cell portable mobil mobiel contactnumber"},
	{GS_KIND_FIRST_NAME, 3, "firstname fname givenname forename "
		"christianname middlename vorname rufname zweitername prenom "
		"nombredepila primernombre voornaam imie imiona prenome primeironome "
		"名 名前"},
	{GS_KIND_FIRST_NAME, 2, "first given nombre nombres"},
	{GS_KIND_LAST_NAME, 3, "lastname lname surname familyname maidenname "
		"maiden secondname nachname familienname zuname geburtsname "
		"nomdefamille nomfamille nomdenaissance apellido apellidos "
		"primerapellido segundoapellido cognome achternaam geslachtsnaam "
		"familienaam nazwisko sobrenome apelido 姓 苗字 名字"},
	{GS_KIND_LAST_NAME, 2, "last family"},
	{GS_KIND_FULL_NAME, 3, "fullname personname customername clientname "
		"patientname employeename contactname cardholder cardholdername "
		"holdername ownername membername vollername vollstaendigername "
		"kundenname patientenname mitarbeitername nomcomplet nomprenom "
		"nombrecompleto nombreyapellidos nominativo nomecompleto "
		"nomecognome volledigenaam imieinazwisko imienazwisko 氏名 お名前"},
	{GS_KIND_FULL_NAME, 2, "person contactperson ansprechpartner "
		"beneficiary payee recipient attendant doctor physician"},
	{GS_KIND_FULL_NAME, 1, "name names nom nombre nome naam nazwa contact "
		"contacto contatto kunde client customer owner holder author employee"},
	{GS_KIND_USER_NAME, 3, "username userlogin loginname screenname "
		"nickname benutzername nutzername anmeldename nomutilisateur "
		"nomdutilisateur identifiant pseudo nombreusuario nombredeusuario "
		"nomeutente gebruikersnaam nazwauzytkownika nomeusuario "
		"nomedeusuario ユーザー名"},
	{GS_KIND_USER_NAME, 2, "login user userid handle nick account benutzer "
		"usuario utente gebruiker uzytkownik utilisateur"},
	{GS_KIND_STREET_ADDRESS, 3, "address addr streetaddress addressline "
		"addressline1 address1 addr1 street streetname homeaddress "
		"postaladdress mailingaddress billingaddress shippingaddress "
		"adresse anschrift strasse strassenname hausanschrift wohnadresse "
		"rue voie adressepostale direccion calle domicilio indirizzo via "
		"residenza straat straatnaam adres ulica adreszamieszkania "
		"endereco rua logradouro 住所 番地"},
	{GS_KIND_STREET_ADDRESS, 2, "residence line1"},
	{GS_KIND_CITY, 3, "city cityname town placeofresidence birthplace "
		"placeofbirth birthcity ort stadt wohnort geburtsort ortschaft "
		"ville commune lieudenaissance lieunaissance ciudad municipio "
		"localidad lugardenacimiento citta comune luogodinascita "
		"luogonascita stad woonplaats plaats geboorteplaats miasto "
		"miejscowosc miejsceurodzenia cidade localnascimento "
		"市 市区町村 都市"},
	{GS_KIND_CITY, 2, "place locality municipality"},
	{GS_KIND_POSTCODE, 3, "zip zipcode zip5 postcode postalcode postal "
		"plz postleitzahl codepostal cp codigopostal cap "
		"codiceavviamentopostale postcodes kodpocztowy cep codigodepostal "
		"郵便番号"},
	{GS_KIND_STATE, 3, "state statename province stateprovince "
		"bundesland departement provincia comunidadautonoma "
		"provincie wojewodztwo estado 都道府県"},
	{GS_KIND_STATE, 2, "region regione kanton uf county"},
	{GS_KIND_STATE_CODE, 3, "statecode stateabbr provincecode"},
	{GS_KIND_COUNTRY, 3, "country countryname nation nationality land "
		"staat pays nationalite pais nacionalidad paese nazione "
		"nazionalita nationaliteit kraj narodowosc nacionalidade 国 国籍"},
	{GS_KIND_COUNTRY_CODE, 3, "countrycode countryiso iso2 laendercode "
		"codepays codigopais landcode"},
	{GS_KIND_LATITUDE, 3, "lat latitude breitengrad latitud latitudine "
		"breedtegraad szerokoscgeograficzna 緯度"},
	{GS_KIND_LONGITUDE, 3, "lon lng long longitude laengengrad longitud "
		"longitudine lengtegraad dlugoscgeograficzna 経度"},
	{GS_KIND_COORDINATES, 3, "coordinates geolocation gps geopoint "
		"koordinaten coordonnees coordenadas coordinate 座標"},
	{GS_KIND_COORDINATES, 2, "location position geo latlon latlng point"},
	{GS_KIND_BIRTH_DATE, 3, "birthdate dateofbirth dob birthday born "
		"birth bday geburtsdatum geburtstag gebdatum gebdat "
		"datedenaissance datenaissance naissance fechadenacimiento "
		"fechanacimiento nacimiento datadinascita datanascita nascita "
		"geboortedatum dataurodzenia urodzenia datadenascimento "
		"datanascimento nascimento 生年月日 誕生日"},
	{GS_KIND_SEX, 3, "sex gender geschlecht sexe genre sexo genero sesso "
		"genere geslacht plec 性別"},
	{GS_KIND_US_SSN, 3, "ssn socialsecurity socialsecuritynumber "
		"socialsecurityno socsecno"},
	{GS_KIND_UK_NINO, 3, "nino nationalinsurance nationalinsurancenumber"},
	{GS_KIND_DE_STEUER_ID, 3, "steuerid steueridnr "
		"steueridentifikationsnummer steuernummer idnr"},
	{GS_KIND_FR_NIR, 3, "nir numerosecuritesociale numerosecu "
		"numerodesecuritesociale insee numeroinsee secu securitesociale"},
	{GS_KIND_ES_DNI, 3, "dni nie nif documentonacionaldeidentidad"},
	{GS_KIND_IT_CODICE_FISCALE, 3, "codicefiscale codfiscale codfisc cf"},
	{GS_KIND_NL_BSN, 3, "bsn burgerservicenummer sofinummer"},
	{GS_KIND_PL_PESEL, 3, "pesel numerpesel nrpesel"},
	{GS_KIND_BR_CPF, 3, "cpf numerocpf"},
	{GS_KIND_BR_CNPJ, 3, "cnpj"},
	{GS_KIND_JP_MY_NUMBER, 3, "mynumber マイナンバー 個人番号"},
	{GS_KIND_NATIONAL_ID, 3, "nationalid nationalidnumber idcard "
		"idcardnumber personalid personalidnumber taxid taxnumber taxpayerid "
		"tin identitynumber ausweisnummer personalausweis "
		"personalausweisnummer numeroidentite cartedidentite "
		"cedula documentoidentidad cartaidentita dowodosobisty "
		"identiteitsnummer identidade rg"},
	{GS_KIND_PASSPORT, 3, "passport passportnumber passportno passportnr "
		"reisepass reisepassnummer passnummer passeport numeropasseport "
		"pasaporte numeropasaporte passaporto numeropassaporto "
		"paspoort paspoortnummer paszport numerpaszportu passaporte "
		"パスポート 旅券番号"},
	{GS_KIND_DRIVER_LICENCE, 3, "driverslicense driverlicense "
		"driverslicence driverlicence drivinglicence drivinglicense "
		"drivinglicencenumber licensenumber dlnumber drivers driverlicenseno "
		"fuehrerschein fuehrerscheinnummer permisdeconduire permisconduire "
		"permisodeconducir carnetdeconducir patente patentediguida "
		"rijbewijs rijbewijsnummer prawojazdy cnh carteirademotorista "
		"運転免許 免許証番号"},
	{GS_KIND_PAYMENT_CARD, 3, "creditcard creditcardnumber creditcardno "
		"cardnumber cardno cardnum ccnumber ccnum debitcard paymentcard "
		"kreditkarte kreditkartennummer kartennummer cartebancaire "
		"numerocarte tarjeta tarjetacredito numerotarjeta cartacredito "
		"cartadicredito numerocarta creditcardnummer kartakredytowa "
		"numerkarty cartaocredito cartaodecredito numerocartao "
		"クレジットカード カード番号"},
	{GS_KIND_PAYMENT_CARD, 2, "card cc pan karte tarjetas cartao"},
	{GS_KIND_IBAN, 3, "iban ibannumber ibannr"},
	{GS_KIND_IP, 3, "ip ipaddress ipaddr ipv4 clientip remoteip "
		"remoteaddr remoteaddress hostip sourceip lastloginip ipadresse "
		"adresseip direccionip indirizzoip ipadres adresip enderecoip"},
	{GS_KIND_IPV6, 3, "ipv6 ipv6address ipv6addr"},
	{GS_KIND_MAC, 3, "mac macaddress macaddr macadresse adressemac "
		"hwaddr hardwareaddress"},
	{GS_KIND_URL, 3, "url website homepage webpage profileurl webseite "
		"siteweb sitioweb sitoweb avatarurl 網站 ホームページ"},
	{GS_KIND_UUID, 3, "uuid guid"},
	{GS_KIND_LICENCE_PLATE, 3, "licenseplate licenceplate platenumber "
		"numberplate vehicleregistration registrationplate kennzeichen "
		"kfzkennzeichen nummernschild plaque immatriculation "
		"plaqueimmatriculation matricula placa targa kenteken "
		"kentekennummer tablicarejestracyjna numerrejestracyjny "
		"ナンバープレート"},
	{GS_KIND_LICENCE_PLATE, 2, "plate"},
	{GS_KIND_ACCOUNT_NUMBER, 3, "accountnumber accountno accountnr acctno "
		"acctnumber bankaccount bankaccountnumber kontonummer kontonr "
		"bankkonto numerocompte numerodecompte comptebancaire "
		"numerocuenta numerodecuenta cuentabancaria numeroconto "
		"contocorrente rekeningnummer bankrekening numerkonta "
		"numerorachunku numerrachunku contabancaria numerodaconta "
		"numeroconta 口座番号"},
	{GS_KIND_FREE_TEXT, 1, "note notes comment comments remark remarks "
		"description message text body feedback memo bemerkung "
		"bemerkungen kommentar notiz notizen nachricht commentaire "
		"remarque observations comentario comentarios observaciones "
		"nota notas commento note opmerking opmerkingen uwagi komentarz "
		"observacoes 備考 コメント メモ"},
};

/* Words that make another thing of what stands beside them. */
static const char *const others[] = {
	"hash", "md5", "sha", "sha1", "sha256", "count", "number of", "num",
	"flag", "type", "status", "verified", "length", "domain", "hits",
	"opened", "clicked", "sent", "template", "class", "category", "kind",
	"level", "score", "rate", "anzahl", "typ", "tipo", "nombre de"
};

/* Tables of persons: a "name" in them is somebody's. */
static const char *const persons =
" person persons people customer customers client clients patient patients "
"employee employees user users member members contact contacts student "
"students teacher teachers doctor doctors physician provider providers "
"staff author authors subscriber subscribers guest guests passenger "
"passengers driver drivers candidate candidates applicant applicants tenant "
"owner owners donor donors player players kunde kunden patienten mitarbeiter "
"benutzer mitglied mitglieder personen ansprechpartner clientes cliente "
"paciente pacientes empleado empleados usuario usuarios socio persone "
"pazienti dipendenti utenti soci client employes utilisateurs personnes "
"klanten klant medewerkers gebruikers personen klienci klient pacjenci "
"pracownicy osoby pessoas funcionarios 顧客 社員 患者 会員 ";

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * The words of a name, folded, one behind the other with a 0 behind each.
 * Returns how many.
 */
static int
split_words(const char *name, int len, char words[MOST_WORDS][WORD_BYTES])
{
	int			n = 0;
	int			start = 0;

	for (int i = 0; i <= len && n < MOST_WORDS; i++)
	{
		char		c = i < len ? name[i] : '_';
		bool		word = is_upper(c) || is_lower(c) || is_digit(c) ||
			(c & 0x80) != 0;
		/* firstName, and the N of SSNNumber */
		bool		turn = i > start && i < len && is_upper(c) &&
			(!is_upper(name[i - 1]) ||
			 (i + 1 < len && is_lower(name[i + 1])));

		if (word && !turn)
			continue;
		if (i > start)
		{
			gs_fold_latin(name + start, i - start, GS_LOCALE_DE_DE, words[n],
						  WORD_BYTES);
			if (words[n][0] == '\0' && i - start < WORD_BYTES)
			{
				/* of another script */
				memcpy(words[n], name + start, i - start);
				words[n][i - start] = '\0';
			}
			n += words[n][0] != '\0';
		}
		start = word ? i : i + 1;
	}
	return n;
}

/* Whether a word is in a list, whose words spaces separate. */
static bool
is_listed(const char *list, const char *word)
{
	int			len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
		if ((at == list || at[-1] == ' ') &&
			(at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* Of several things, too: phones. */
static void
look_up(const char *run, int weaker, GsPiiName *says)
{
	char		one[WORD_BYTES];
	int			len = strlen(run);

	memcpy(one, run, len + 1);
	if (len > 4 && run[len - 1] == 's')
		one[len - 1] = '\0';
	for (int i = 0; i < sizeof(entries) / sizeof(*entries); i++)
	{
		char	   *known = &says->strength[entries[i].kind];

		if (entries[i].strength - weaker > *known &&
			(is_listed(entries[i].words, run) ||
			 is_listed(entries[i].words, one)))
			*known = entries[i].strength - weaker;
	}
}

/*
 * gs_pii_name_also: what another name says besides, such as that of a domain.
 */
void
gs_pii_name_also(const char *name, int len, GsPiiName *says)
{
	char		words[MOST_WORDS][WORD_BYTES];
	bool		covered[MOST_WORDS] = {false};
	int			n = split_words(name, len, words);
	int			weaker = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < sizeof(others) / sizeof(*others); j++)
			if (strcmp(words[i], others[j]) == 0)
				weaker = 2;
	/* the longest runs first: what they cover means nothing by itself */
	for (int length = n < RUN_WORDS ? n : RUN_WORDS; length > 0; length--)
		for (int i = 0; i + length <= n; i++)
		{
			char		run[WORD_BYTES] = "";
			GsPiiName	found = {{0}};
			bool		free = true;
			int			used = 0;

			for (int j = i; j < i + length; j++)
			{
				int			bytes = strlen(words[j]);

				free = free && !covered[j] && used + bytes < WORD_BYTES;
				if (free)
				{
					memcpy(run + used, words[j], bytes + 1);
					used += bytes;
				}
			}
			if (!free)
				continue;
			look_up(run, weaker, &found);
			for (int k = 0; k < GS_KIND_COUNT; k++)
				if (found.strength[k] > 0)
				{
					for (int j = i; j < i + length; j++)
						covered[j] = true;
					if (found.strength[k] > says->strength[k])
						says->strength[k] = found.strength[k];
				}
		}
}

/*
 * gs_pii_name: what the name of a column, or of a member of a document, says
 * about its values, for each kind.
 */
void
gs_pii_name(const char *name, int len, GsPiiName *says)
{
	memset(says, 0, sizeof(*says));
	gs_pii_name_also(name, len, says);
}

/*
 * gs_pii_is_person: whether a table's name says that its rows are persons.
 */
bool
gs_pii_is_person(const char *table, int len)
{
	char		words[MOST_WORDS][WORD_BYTES];
	int			n = split_words(table, len, words);

	for (int i = 0; i < n; i++)
		if (is_listed(persons, words[i]))
			return true;
	return false;
}
