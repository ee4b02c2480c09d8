import { ANCHOR, endsAt, type Recogniser, startsAt } from './recogniser.ts';

const NAME = "[A-ZÀ-Þ][A-Za-zÀ-ÿ'’.-]{0,24}";
/** What streets are called in English, with common abbreviations. */
const SUFFIX =
  '(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Ter|Way|Parkway|Pkwy|Circle|Cir|' +
  'Highway|Hwy|Close|Crescent|Cres|Mews|Alley|Turnpike|Plaza|Quay|Wharf|Arcade|Bend|Bluff|Branch|Bridge|Brook|Burg|Bypass|Camp|Canyon|' +
  'Cape|Causeway|Center|Cliff|Club|Common|Corner|Course|Cove|Creek|Crest|Crossing|Crossroad|Curve|Dale|Dam|Divide|Estate|Expressway|' +
  'Extension|Fall|Ferry|Field|Flat|Ford|Forest|Forge|Fork|Fort|Freeway|Garden|Gateway|Glen|Green|Grove|Harbor|Haven|Height|Hill|Hollow|' +
  'Inlet|Island|Isle|Junction|Key|Knoll|Lake|Landing|Light|Loaf|Lock|Lodge|Loop|Mall|Manor|Meadow|Mill|Mission|Motorway|Mount|Mountain|' +
  'Neck|Orchard|Oval|Overpass|Park|Pass|Passage|Path|Pike|Pine|Plain|Point|Port|Prairie|Radial|Ramp|Ranch|Rapid|Rest|Ridge|River|Route|' +
  'Row|Rue|Run|Shoal|Shore|Skyway|Spring|Spur|Station|Stravenue|Stream|Summit|Throughway|Trace|Track|Trafficway|Trail|Tunnel|Underpass|' +
  'Union|Valley|Via|Viaduct|View|Village|Ville|Vista|Walk|Wall|Well)s?';
const UNIT = '(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|#)\\.? ?#?[A-Za-z0-9-]{1,6})?';
const STATE = '(?:[A-Z]{2}|[A-Z][a-z]{3,12}(?: [A-Z][a-z]{3,12})?)';
const TOWN = `(?:,? ${NAME}(?: ${NAME}){0,2},? ${STATE},? \\d{5}(?:-\\d{4})?)?`;
const UK_TOWN = `(?:,? ${NAME}(?: ${NAME}){0,2},? [A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2})?`;
/** 12 Main Street, Apt 4, Springfield, IL 62704 */
const ENGLISH = `\\d{1,5}[A-Za-z]?(?:-\\d{1,4})? (?:[NSEW]\\.? |(?:North|South|East|West) )?(?:(?:\\d{1,3}(?:st|nd|rd|th)|${NAME}) ){1,3}?${SUFFIX}\\.?(?![A-Za-z])(?: [NSEW]{1,2}(?![A-Za-z]))?${UNIT}(?:${TOWN}|)${UK_TOWN}`;
const POSTCODE = `(?:,? (?:[A-Z]{1,2}-)?\\d{4,5}(?: [A-Z]{2})? ${NAME}(?: ${NAME}){0,2})?`;
/** 12 bis, rue de la Paix, 75002 Paris */
const FRENCH = `\\d{1,4}(?: ?bis| ?ter)?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Qq]uai|[Cc]ours)(?: (?:de|du|des|la|le|les|l['’]|d['’]|au|aux)){0,2}(?: (?:[dl]['’])?${NAME}){1,4}${POSTCODE}`;
const FROM_NUMBER = new RegExp(`(?:${ENGLISH}|${FRENCH})`, 'y');

/** Hauptstraße 5, Herengracht 12; Calle Mayor 12, Via Roma 3. */
const STREET = `[A-ZÀ-Þ][A-Za-zÀ-ÿß.-]{1,30}(?:straße|strasse|str\\.|weg|platz|allee|gasse|ring|damm|ufer|straat|laan|plein|gracht|kade|gatan|vägen|gata|katu|tie|vej|gade|stigen|gränd|ulice|utca)`;
const SPLIT = `(?:[A-ZÀ-Þ][a-zß]{2,20} )(?:Straße|Strasse|Str\\.|Weg|Platz|Allee|Ring|Damm)`;
const ROMANCE = `(?:Calle|C\\/|Avenida|Avda\\.|Av\\.|Paseo|Plaza|Cuesta|Ronda|Glorieta|Camino|Rambla|Carrer|Callejón|Pasaje|Via|Viale|Vicolo|Piazza|Piazzale|Corso|Strada|Contrada|Borgo|Largo|Rua|Travessa|Alameda|Praça|Rodovia|Estrada|Bulevardul|Aleea|Calea|[Uu]l\\.|[Uu]lica|[Aa]leja|[Aa]l\\.|[Pp]l\\.|[Pp]lac)(?: (?:de|la|las|los|el|del|della|dei|do|da|dos|das|di)){0,2}(?: ${NAME}){1,4}`;
const BEFORE_NUMBER = new RegExp(`(?<![A-Za-zÀ-ÿ])(?:${STREET}|${SPLIT}|${ROMANCE}),?(?: (?:[nN][º°.or]\\.?))? $`);
const LONGEST_STREET = 72;
const REST = new RegExp(`\\d{1,4}(?: ?[a-zA-Z](?![A-Za-zÀ-ÿ]))?(?:[-/]\\d{1,4})?${POSTCODE}`, 'y');
const BOX = /(?<![A-Za-z])(?:P\.? ?O\.? ?Box|Postfach) #?$/i;
/** What may come after a house number: a word that starts a street's name. */
const WORD_AFTER = /^[A-Za-z]?(?:-\d+)?(?: ?bis| ?ter)?,? [\dA-ZÀ-Þrabpciq]/;

/** Without the full stop of its sentence. */
const withoutStop = (text: string, end: number): number =>
  text[end - 1] === '.' && !/\b(?:St|Ave|Rd|Dr|Ln|Blvd|Ct)\.$/.test(text.slice(end - 6, end)) ? end - 1 : end;

/** Whether the word before starts with a capital, as the names of streets do, or with the `n` of a number. */
function isAfterCapital(text: string, from: number): boolean {
  let start = from - 1;
  while (start > 0 && from - start < LONGEST_STREET && text.charCodeAt(start - 1) > 32) start--;
  const first = text.charCodeAt(start);
  return start < from - 1 && ((first >= 65 && first <= 90) || first >= 0xc0 || first === 110);
}

/** Streets with house numbers, with the town where it follows. */
export const address: Recogniser = {
  ...{ type: 'address', anchors: ANCHOR.NUMBER, lengths: [1, 6], tellsColumn: false },
  columns:
    / (?:(?:street|home|postal|mailing|billing|shipping|delivery|residential|work|full|customer|patient) address(?: (?:line )?\d)?|address(?: line)? ?\d?|street(?: name)?|addr|anschrift|adresse|direccion|domicilio|indirizzo) /,
  find(text, from, to, found) {
    if (!startsAt(text, from)) return;
    FROM_NUMBER.lastIndex = from;
    if (WORD_AFTER.test(text.slice(to, to + 6)) && FROM_NUMBER.test(text)) {
      return found(from, withoutStop(text, FROM_NUMBER.lastIndex), 0.8);
    }
    if (!isAfterCapital(text, from)) return;
    const before = text.slice(Math.max(0, from - LONGEST_STREET), from);
    const street = BEFORE_NUMBER.exec(before);
    REST.lastIndex = from;
    if (street && REST.test(text) && endsAt(text, REST.lastIndex)) {
      return found(from - street[0].length, REST.lastIndex, 0.75);
    }
    const box = BOX.exec(before);
    if (box) found(from - box[0].length, to, 0.7);
  },
  whole: (cell) => (/\p{L}{2}/u.test(cell) && /[\s\d]/.test(cell) && cell.length > 5 ? 0.8 : 0),
  canonical: (value) =>
    value
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s,.]+/g, ' ')
      .trim(),
};
