import { createRequire } from 'node:module';

/** What a capitalised word may be in the name of a person. */
export interface NameWord {
  /** A given name, and one that is nothing else. */
  readonly given: boolean;
  /** A family name, and one that is nothing else. */
  readonly family: boolean;
  /** A name that is a word, a place or a month as well. */
  readonly either: boolean;
  /** A word of the language that may be a family name all the same, as Baker and Brown are. */
  readonly common: boolean;
  /** What no name has: function words, verbs in the past, days, and what organisations call themselves. */
  readonly never: boolean;
  /** What names of organisations and places end in. */
  readonly organisation: boolean;
}

/** Common given names that compromise's English lexicon lacks, from public statistics of names. */
const GIVEN = `
  aarav aditi aditya aisha ajay akira amara amina amit anaya aneta anjali ananya arjun arun asha ashok ayaan ayesha ayse bartosz bilal
  bjorn blessing bogdan chiamaka chidi chinedu chioma chloe daiki deepak deepika divya dmitri dmitry ebru ekaterina elif emeka
  emre esra eun farah fatoumata femi folake funmilayo gaurav ghassan giulia goran grzegorz hana hanna haruto hassan hiroshi
  hyun ibrahim ifeoma ikram imani ines ingrid isha ishaan jakub jarek jedrzej jiho jisoo jiwoo joao kaito karthik kavita
  keiko kenji khadija khalid kiran kofi krzysztof kwame lakshmi laszlo leila lukasz magnus mahesh malgorzata manish marek
  mariam matteo mehmet meera mei mihai minh minjun mustafa nadia naoki neha ngozi niamh nikhil nikolai nneka olga olumide
  oluwaseun omar oyelaran paolo pawel piotr pooja pradeep prakash pranav preeti priya przemek rahul raj rajesh rakesh ravi
  ren rohan rohit saanvi sakura salma samir sandeep sanjay santosh saoirse satoshi seo seoyeon shreya siddharth sina siobhan sinead
  sota stanislav sunil suresh svetlana swati takashi takumi tariq tatiana temitope thabo thandiwe thi tomasz tunde uma usha
  vaclav vikram vijay vinod vishal vivek wanjiru wojciech xin yara yasmin yosef youssef yuan yui yuki yusuf zainab zanele
  zofia zoltan alejandro bjoern francois noemie celine chloe elodie jurgen gunter heike soren asa oyvind mirjam sanne femke
  daan sven lars anders bram lotte maarten pieter thijs wouter xiaoming jing wei fang lei hui yan jun hao ling juan ana
  luis jorge carlos diego sofia lucia mateo valentina camila thiago beatriz goncalo rafaela catarina joaquin itziar nuria
  kwabena adwoa akosua ama kojo chukwuemeka uchenna adaeze obinna wangari njeri otieno achieng sipho nomvula lerato tendai
`;

const FAMILY = `
  abdullah abebe achebe adebayo adeyemi afolabi agarwal aguirre ahmed akande akinyemi almeida alonso amoah anand asante
  atkinson ayinde azevedo balogun banerjee bakshi beltran bhatt bhattacharya boateng bose boukhari bui cabrera campos
  castillo castro cohen chakraborty chatterjee chaudhary cheng cheung choi chukwu chung contreras cortes cruz dang das
  delgado demir desai deshmukh dias diallo diaz dlamini dogan duarte dubois duong edwards ekwueme espinoza esposito eze
  farouk fernandes fernandez ferreira fischer flores fonseca fujita garcia ghosh gomes gomez gonzalez guerrero gupta
  gutierrez hernandez hoang hoffmann horvat hosseini huang hughes hussain huynh ibrahimovic ito iyer jackson jain jansen
  jimenez joshi kang kapoor kaur kato kaya keita khan khumalo kipkemboi kobayashi kovac kovacs kowalczyk kowalska kowalski
  krishnan kumar kumari kurt lefevre lewandowski liang lopes lopez lukic magalhaes malik mehta mendez mendoza mensah
  menon mishra mitchell mohamed mokoena molina morales moreau moreno mukherjee mueller muller mutua mwangi nair nakamura
  naidoo narayan nascimento ndiaye ndlovu nel ngo nguyen nikolic nkosi novak nowak nunez nwosu obi ochieng odhiambo okafor
  okeke okonkwo oliveira onyango ortega ortiz osei otieno ozturk pandey patel patil pereira petrov petrovic pham phan
  pillai popescu prasad qureshi ramirez ramos rao reddy reyes ribeiro rivera rodrigues rodriguez romero rossi ruiz sahin
  saito sanchez santos sato schmidt schneider schroder sen shah shapiro sharma shetty shimizu siddiqui silva singh smirnov
  sokolov soares soto suarez subramanian suzuki takahashi tanaka thapa thomas toure traore tran trinh truong vargas varma
  vasquez vega verma virtanen vu wagner wang wójcik wojcik wozniak wu xu yadav yamada yamamoto yang yildirim yilmaz yoshida
  zhang zhao zhou zhu zielinski korhonen nieminen makinen lindqvist lindstrom nilsson olsson eriksson johansson karlsson
  larsen hansen jensen nielsen pedersen christensen rasmussen sorensen haugen dahl berg visser bakker devries meijer smit
  mulder bos vos peeters janssens maes willems claes lambert leroy roux fournier girard bonnet dupont lefebvre mercier
  russo ferrari romano colombo ricci marino greco bruno gallo conti costa mancini barbieri weber becker schulz richter
  klein neumann schwarz zimmermann braun hofmann hartmann lange krause lehmann kaiser fuchs vogel keller baumann
  taylor williams davies evans roberts johnson walker wright thompson robinson hall clarke turner collins morris rogers
  cooper ward bailey bennett murphy kelly walsh byrne ryan doyle gallagher doherty kennedy lynch oconnor oneill obrien
`;

const NEVER_TAGS =
  /Preposition|Conjunction|Determiner|Pronoun|Copula|Modal|QuestionWord|Negative|WeekDay|Expression|Adverb|PastTense|Organization|Unit|Currency|Date|Cardinal|Ordinal/;
const NAME_TAGS = /MaleName|FemaleName|FirstName/;
/** What names of organisations and places end in, beyond compromise's. */
const ORGANISATIONS = `
  inc ltd llc llp gmbh ag corp plc sa srl bv nv oy ab pty co company group bank university college school hospital clinic
  institute foundation airport station street avenue road lane square bridge river lake mountain island county city
  museum library church centre center tower hotel restaurant cafe team department office street market mall stadium award
  prize act report project plan policy model edition series pro plus max mini ultra air day week month year street north
  south east west street desk widget support service services system systems software app cloud data store shop order
`;

/** How family names of some languages end, without accents; of words that nothing else is known of. */
const FAMILY_ENDINGS =
  /.{3}(?:ska|ski|sky|cka|cki|wicz|czyk|ova|eva|enko|chuk|sson|poulos|poulou|akis|idis|escu|oglu|shvili|adze|inen|murthy|swamy)$/;

const listOf = (words: string): string[] => words.trim().split(/\s+/);

interface Model {
  readonly one: { readonly lexicon: Readonly<Record<string, string | readonly string[]>> };
  readonly two: {
    readonly switches: Readonly<Record<string, string>>;
    readonly orgWords: Readonly<Record<string, boolean>>;
  };
}

/** Of a word that nothing is known of. */
export const NO_NAME: NameWord = {
  given: false,
  family: false,
  either: false,
  common: false,
  never: false,
  organisation: false,
};
let words: Map<string, NameWord> | undefined;

/** From compromise's lexicon, which takes too long to load for who has no text. */
function load(): Map<string, NameWord> {
  const require = createRequire(import.meta.url);
  const { one, two } = (require('compromise/two') as { model(): Model }).model();
  const all = new Map<string, NameWord>();
  for (const [word, tags] of Object.entries(one.lexicon)) {
    const tag = String(tags);
    if (NAME_TAGS.test(tag)) all.set(word, { ...NO_NAME, given: true });
    else if (/LastName/.test(tag)) all.set(word, { ...NO_NAME, family: true });
    else if (NEVER_TAGS.test(tag)) all.set(word, { ...NO_NAME, never: true });
    else if (/Person/.test(tag)) all.set(word, { ...NO_NAME, either: true });
    else all.set(word, { ...NO_NAME, common: true });
  }
  for (const [word, kind] of Object.entries(two.switches)) {
    if (kind.startsWith('Person|')) all.set(word, { ...NO_NAME, either: true });
    else if (!all.has(word)) all.set(word, { ...NO_NAME, common: true });
  }
  const add = (list: string, kind: Partial<NameWord>) => {
    for (const word of listOf(list)) {
      const known = all.get(word);
      const name = known && !known.common && !known.never ? known : NO_NAME;
      all.set(word, { ...name, ...kind });
    }
  };
  add(GIVEN, { given: true });
  add(FAMILY, { family: true });
  for (const word of [...Object.keys(two.orgWords), ...listOf(ORGANISATIONS)])
    all.set(word, { ...NO_NAME, never: true });
  return all;
}

/** Keeps what so many words are, because words repeat. */
const MAX_SEEN = 20_000;
const seen = new Map<string, NameWord>();

/** What a capitalised word may be; case and accents do not count. */
export function nameWord(word: string): NameWord {
  let kind = seen.get(word);
  if (kind === undefined) {
    kind = lookUp(word.toLowerCase());
    if (seen.size < MAX_SEEN) seen.set(word, kind);
  }
  return kind;
}

function lookUp(plain: string): NameWord {
  words ??= load();
  const known = words.get(plain);
  if (known) return known;
  const marks = /[\u0300-\u036f'’]/g;
  const bare = plain.normalize('NFD').replace(marks, '').replaceAll('ł', 'l').replaceAll('ø', 'o');
  const found = words.get(bare);
  if (found) return found;
  if (FAMILY_ENDINGS.test(bare)) return { ...NO_NAME, family: true };
  if (!bare.includes('-')) return NO_NAME;
  const parts = bare.split('-').map((part) => words!.get(part) ?? NO_NAME);
  return parts.find(({ given, family }) => given || family) ?? NO_NAME;
}
