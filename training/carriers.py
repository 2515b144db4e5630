"""Fill the carrier texts of ``authored/pii_*.jsonl`` with invented people, places and numbers.

A carrier is a line ``{"text": "... {PERSON} ...", "lang": "en"}``. ``{SLOT}`` takes a value of the carrier's
language, ``{SLOT:a}`` the same value wherever it is repeated, ``[[text|LABEL]]`` marks words that stay as
they are, and braces meant literally are doubled. A street directly followed by its city or postcode becomes
one STREET_ADDRESS. The same seed gives the same rows.
"""

import json
import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from faker import Faker

Row = dict[str, Any]
SOURCE = "authored-pii"
PIECE = re.compile(r"\{\{|\}\}|\{([A-Z_]+)(?::(\w+))?\}|\[\[([^\[\]|]+)\|([A-Z_]+)\]\]")
LABELS = frozenset(
    [
        "PERSON",
        "DATE_TIME",
        "ORGANIZATION",
        "EMAIL_ADDRESS",
        "STREET_ADDRESS",
        "GPE",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "AGE",
        "IBAN_CODE",
        "IP_ADDRESS",
        "NRP",
        "DOMAIN_NAME",
        "ZIP_CODE",
        "TITLE",
        "US_SSN",
        "US_DRIVER_LICENSE",
    ]
)
ADDRESS_GAP = re.compile(r" |, |,?\n")
"""What may stand between a street and its city for both to be one written address."""
LOWERED, RAISED = 0.05, 0.02
"""Shares of the rows that are written in small or in capital letters altogether."""


def listed(text: str) -> tuple[str, ...]:
    """Entries of a list written with semicolons, over as many lines as it takes."""
    return tuple(" ".join(entry.split()) for entry in text.split(";") if entry.strip())


# ----------------------------------------------------------------------------------------------- places

LOCALES: dict[str, tuple[str, ...]] = {
    "en": listed("""
            en_US; en_US; en_US; en_US; en_GB; en_GB; en_GB; en_IN; en_IN; en_AU; en_CA; en_IE; en_NZ;
            de_DE; de_CH; fr_FR; fr_CA; es_ES; es_MX; it_IT; pl_PL; pt_BR; pt_PT; nl_NL; nl_BE; sv_SE;
            no_NO; da_DK; fi_FI; tr_TR; cs_CZ; hu_HU; ro_RO; vi_VN; id_ID; zh_CN; zh_CN; zh_TW; ja_JP;
            ko_KR; ar_AA; ru_RU; el_GR; hi_IN; ng
        """),
    "de": ("de_DE", "de_DE", "de_DE", "de_AT", "de_CH"),
    "fr": ("fr_FR", "fr_FR", "fr_FR", "fr_CH", "fr_CA"),
    "es": ("es_ES", "es_ES", "es_MX", "es_CO"),
    "it": ("it_IT",),
    "pt": ("pt_BR", "pt_BR", "pt_PT"),
    "nl": ("nl_NL", "nl_NL", "nl_BE"),
    "pl": ("pl_PL",),
    "ru": ("ru_RU",),
    "ja": ("ja_JP",),
    "ko": ("ko_KR",),
    "tr": ("tr_TR",),
    "zh": ("zh_CN",),
}
COUNTRY_OF = {
    "en_US": "US", "en_GB": "GB", "en_IN": "IN", "hi_IN": "IN", "en_AU": "AU", "en_CA": "CA", "fr_CA": "CA",
    "en_IE": "IE", "en_NZ": "NZ", "de_DE": "DE", "de_CH": "CH", "fr_CH": "CH", "de_AT": "AT", "fr_FR": "FR",
    "es_ES": "ES", "es_MX": "MX", "es_CO": "MX", "it_IT": "IT", "pl_PL": "PL", "pt_BR": "BR", "pt_PT": "PT",
    "nl_NL": "NL", "nl_BE": "BE", "sv_SE": "SE", "tr_TR": "TR", "cs_CZ": "CZ", "zh_CN": "CN", "zh_TW": "TW",
    "ja_JP": "JP", "ko_KR": "KR", "ru_RU": "RU", "no_NO": "NO", "da_DK": "DK", "fi_FI": "FI", "vi_VN": "VN",
    "id_ID": "ID", "ar_AA": "AE", "el_GR": "GR", "hu_HU": "HU", "ro_RO": "RO", "ng": "NG",
}  # fmt: skip
CITIES = listed("""
    New York; Los Angeles; Chicago; Houston; Phoenix; Philadelphia; San Antonio; San Diego; Dallas; Austin;
    Boise; Duluth; Yuma; Spokane; Fort Wayne; Baton Rouge; Chattanooga; Grand Rapids; Sioux Falls; Ann Arbor;
    Eau Claire; Kalispell; Truth or Consequences; Winnemucca; Lubbock; Amarillo; Santa Fe; Reno; Salem; Eugene;
    Mobile; Reading; Bath; Nice; Orange; Independence; Liberty; Florence; Paris; Troy; Athens; Moscow; Cairo;
    London; Manchester; Leeds; Sheffield; Hull; Grimsby; Stoke-on-Trent; Aberystwyth; Inverness; Dundee; Perth;
    Stow-on-the-Wold; Milton Keynes; Kettering; Slough; Penzance; Whitby; Lerwick; Belfast; Derry; Galway;
    Limerick; Cork; Sligo; Dublin; Toronto; Vancouver; Moose Jaw; Saskatoon; Halifax; Trois-Rivières; Québec;
    Sydney; Melbourne; Wagga Wagga; Alice Springs; Ballarat; Hobart; Auckland; Christchurch; Dunedin; Nelson;
    Berlin; Hamburg; Munich; Köln; Cologne; Frankfurt am Main; Leipzig; Bielefeld; Wuppertal; Bad Tölz; Görlitz;
    Rothenburg ob der Tauber; Tübingen; Essen; Vienna; Graz; Linz; Innsbruck; Zürich; Zurich; Geneva; Basel;
    Winterthur; Chur; Lyon; Marseille; Lille; Nantes; Rennes; Saint-Étienne; Clermont-Ferrand; Dijon; Tours;
    Madrid; Barcelona; Seville; Valencia; Vigo; Cuenca; Alcalá de Henares; San Sebastián; Lisbon; Porto; Braga;
    Rome; Milan; Turin; Naples; Bari; Lecce; Reggio Calabria; Bergamo; Amsterdam; Rotterdam; The Hague; Utrecht;
    's-Hertogenbosch; Groningen; Brussels; Ghent; Antwerp; Liège; Warsaw; Kraków; Łódź; Gdańsk; Wrocław;
    Bielsko-Biała; Zakopane; Prague; Brno; Ostrava; Bratislava; Budapest; Szeged; Bucharest; Cluj-Napoca; Sofia;
    Plovdiv; Zagreb; Split; Ljubljana; Belgrade; Sarajevo; Skopje; Tirana; Thessaloniki; Patras; Stockholm;
    Gothenburg; Malmö; Oslo; Bergen; Tromsø; Copenhagen; Aarhus; Odense; Helsinki; Tampere; Oulu; Reykjavik;
    Tallinn; Riga; Vilnius; Kaunas; Minsk; Kyiv; Lviv; Odesa; Saint Petersburg; Novosibirsk; Kazan; Vladivostok;
    Istanbul; Ankara; Izmir; Gaziantep; Tbilisi; Yerevan; Baku; Almaty; Tashkent; Samarkand; Tehran; Baghdad;
    Basra; Damascus; Beirut; Amman; Jerusalem; Haifa; Tel Aviv; Riyadh; Jeddah; Dubai; Abu Dhabi; Doha; Muscat;
    Alexandria; Tunis; Algiers; Casablanca; Rabat; Dakar; Accra; Lagos; Abuja; Ibadan; Nairobi; Mombasa; Kampala;
    Kigali; Dar es Salaam; Addis Ababa; Harare; Lusaka; Johannesburg; Cape Town; Durban; Windhoek; Mumbai; Delhi;
    New Delhi; Bengaluru; Chennai; Kolkata; Hyderabad; Pune; Jaipur; Lucknow; Kochi; Coimbatore; Varanasi; Karachi;
    Lahore; Islamabad; Dhaka; Chittagong; Colombo; Kathmandu; Yangon; Bangkok; Chiang Mai; Hanoi; Da Nang;
    Ho Chi Minh City; Phnom Penh; Vientiane; Kuala Lumpur; George Town; Singapore; Jakarta; Surabaya; Bandung;
    Yogyakarta; Manila; Cebu; Davao; Beijing; Shanghai; Guangzhou; Shenzhen; Chengdu; Hangzhou; Wuhan; Xi'an;
    Nanjing; Harbin; Kunming; Lhasa; Hong Kong; Macau; Taipei; Kaohsiung; Tainan; Tokyo; Osaka; Kyoto; Nagoya;
    Sapporo; Fukuoka; Sendai; Kanazawa; Seoul; Busan; Incheon; Daegu; Daejeon; Pyongyang; Ulaanbaatar; Mexico City;
    Guadalajara; Oaxaca; Tijuana; Havana; Kingston; Panama City; San José; Bogotá; Medellín; Quito; Lima; Cusco;
    La Paz; Santiago; Valparaíso; Buenos Aires; Córdoba; Mar del Plata; Montevideo; Asunción; São Paulo;
    Rio de Janeiro; Belo Horizonte; Curitiba; Porto Alegre; Manaus; Florianópolis; Suva; Honolulu; Anchorage
""")
REGIONS = listed("""
    California; Texas; Ohio; Oregon; Montana; North Dakota; New Mexico; West Virginia; Georgia; Washington; Maine;
    Orange County; Cook County; Silicon Valley; the Midwest; New England; Ontario; British Columbia; Nova Scotia;
    Alberta; Quebec; New South Wales; Queensland; Tasmania; Victoria; Otago; Yorkshire; Kent; Cornwall; Devon;
    East Sussex; Northumberland; Scotland; Wales; Northern Ireland; the Highlands; County Cork; Munster; Bavaria;
    Saxony; Hesse; North Rhine-Westphalia; Schleswig-Holstein; Tyrol; Styria; the Canton of Bern; Vaud; Ticino;
    Brittany; Normandy; Provence; Île-de-France; Occitanie; Corsica; Catalonia; Galicia; Andalusia;
    the Basque Country; Extremadura; Tuscany; Lombardy; Sicily; Sardinia; Puglia; Emilia-Romagna; Friesland;
    Flanders; Wallonia; Silesia; Mazovia; Podlaskie; Bohemia; Moravia; Transylvania; Dalmatia; Crete; Macedonia;
    Skåne; Lapland; Jutland; Anatolia; Kurdistan; Siberia; Tatarstan; Chechnya; Crimea; Donetsk Oblast; Punjab;
    Kerala; Tamil Nadu; Gujarat; Uttar Pradesh; West Bengal; Maharashtra; Rajasthan; Sindh; Balochistan; Java;
    Bali; Sumatra; Mindanao; Luzon; Sichuan; Guangdong; Zhejiang; Yunnan; Xinjiang; Tibet; Inner Mongolia; Hokkaido;
    Kyushu; Okinawa; Jeju; Gyeonggi-do; Bahia; Minas Gerais; Patagonia; Jalisco; Chiapas; Yucatán; Gauteng;
    KwaZulu-Natal; Darfur; Tigray; Kano State; Zanzibar
""")
COUNTRIES = listed("""
    United States; USA; the United States; U.S.; UK; United Kingdom; Britain; England; Ireland; Canada; Australia;
    New Zealand; Germany; Austria; Switzerland; France; Belgium; Netherlands; the Netherlands; Luxembourg; Spain;
    Portugal; Italy; Malta; Greece; Cyprus; Turkey; Türkiye; Poland; Czechia; Czech Republic; Slovakia; Hungary;
    Romania; Bulgaria; Serbia; Croatia; Slovenia; Bosnia and Herzegovina; Montenegro; Albania; Kosovo;
    North Macedonia; Moldova; Ukraine; Belarus; Russia; Lithuania; Latvia; Estonia; Finland; Sweden; Norway;
    Denmark; Iceland; Georgia; Armenia; Azerbaijan; Kazakhstan; Uzbekistan; Kyrgyzstan; Tajikistan; Turkmenistan;
    Iran; Iraq; Syria; Lebanon; Jordan; Israel; Palestine; Saudi Arabia; Yemen; Oman; Qatar; Kuwait; Bahrain; UAE;
    United Arab Emirates; Egypt; Libya; Tunisia; Algeria; Morocco; Sudan; South Sudan; Ethiopia; Eritrea; Somalia;
    Kenya; Uganda; Rwanda; Burundi; Tanzania; Mozambique; Malawi; Zambia; Zimbabwe; Botswana; Namibia;
    South Africa; Lesotho; Madagascar; Mauritius; Angola; DR Congo; Cameroon; Nigeria; Niger; Chad; Ghana; Togo;
    Benin; Mali; Senegal; Ivory Coast; Liberia; Sierra Leone; Afghanistan; Pakistan; India; Nepal; Bhutan;
    Bangladesh; Sri Lanka; Maldives; Myanmar; Thailand; Laos; Cambodia; Vietnam; Malaysia; Singapore; Indonesia;
    Philippines; the Philippines; China; Taiwan; Mongolia; Japan; South Korea; North Korea; Mexico; Guatemala;
    Honduras; El Salvador; Nicaragua; Costa Rica; Panama; Cuba; Jamaica; Haiti; Dominican Republic; Colombia;
    Venezuela; Ecuador; Peru; Bolivia; Chile; Argentina; Uruguay; Paraguay; Brazil; Fiji; Papua New Guinea
""")
GROUPS = listed("""
    American; British; English; Scottish; Welsh; Irish; Canadian; Australian; German; Austrian; Swiss; French;
    Belgian; Dutch; Spanish; Portuguese; Italian; Greek; Turkish; Polish; Czech; Slovak; Hungarian; Romanian;
    Bulgarian; Serbian; Croatian; Slovenian; Bosnian; Albanian; Ukrainian; Belarusian; Russian; Lithuanian; Latvian;
    Estonian; Finnish; Swedish; Norwegian; Danish; Icelandic; Georgian; Armenian; Azerbaijani; Kazakh; Uzbek;
    Iranian; Persian; Iraqi; Syrian; Lebanese; Jordanian; Israeli; Palestinian; Saudi; Yemeni; Qatari; Emirati;
    Egyptian; Libyan; Tunisian; Algerian; Moroccan; Sudanese; Ethiopian; Eritrean; Somali; Kenyan; Ugandan;
    Rwandan; Tanzanian; Zimbabwean; South African; Nigerian; Ghanaian; Senegalese; Afghan; Pakistani; Indian;
    Nepali; Bangladeshi; Sri Lankan; Burmese; Thai; Laotian; Cambodian; Vietnamese; Malaysian; Singaporean;
    Indonesian; Filipino; Chinese; Taiwanese; Mongolian; Japanese; Korean; South Korean; Mexican; Guatemalan;
    Cuban; Jamaican; Haitian; Colombian; Venezuelan; Peruvian; Bolivian; Chilean; Argentine; Brazilian; Kurdish;
    Catalan; Basque; Tamil; Uyghur; Rohingya; Yoruba; Igbo; Zulu; Maori; Inuit; Roma; Catholic; Protestant;
    Lutheran; Anglican; Methodist; Baptist; Mormon; Orthodox; Jewish; Muslim; Sunni; Shia; Hindu; Sikh; Buddhist;
    Jain; Bahá'í; Quaker; Zoroastrian; Christian; Atheist; Republican; Democrat; Conservative; Labour; Socialist;
    Communist; Marxist; Liberal Democrat; Green; Christian Democrat; Social Democrat; Libertarian; Maoist
""")
# ------------------------------------------------------------------------------------------ organisations

REAL_ORGANIZATIONS = listed("""
    Google; Microsoft; Apple; Amazon; Meta; IBM; Intel; Nvidia; AMD; Oracle; SAP; Siemens; Bosch; BASF; Bayer; BMW;
    Volkswagen; Mercedes-Benz; Airbus; Boeing; Lufthansa; KLM; Ryanair; easyJet; Delta; Emirates; Shell; BP; Total;
    ExxonMobil; Chevron; Equinor; Nestlé; Unilever; Danone; Procter & Gamble; Johnson & Johnson; Pfizer; Moderna;
    Novartis; Roche; GSK; AstraZeneca; Merck; Sanofi; Target; Walmart; Costco; Tesco; Sainsbury's; Marks & Spencer;
    Carrefour; Aldi; Lidl; IKEA; H&M; Zara; Nike; Adidas; Puma; Gap; Visa; Mastercard; American Express; PayPal;
    Stripe; Square; Klarna; Revolut; Monzo; JPMorgan Chase; Goldman Sachs; Morgan Stanley; Bank of America;
    Wells Fargo; Citibank; HSBC; Barclays; Lloyds Bank; NatWest; Santander; BBVA; Deutsche Bank; Commerzbank; ING;
    UBS; Credit Suisse; BNP Paribas; Société Générale; UniCredit; Intesa Sanpaolo; State Bank of India; HDFC Bank;
    ICICI Bank; Bank of China; ICBC; Sberbank; Toyota; Honda; Nissan; Sony; Panasonic; Hitachi; Nintendo; SoftBank;
    Rakuten; Samsung; LG; Hyundai; Kia; SK Hynix; Naver; Kakao; Huawei; Xiaomi; Alibaba; Tencent; Baidu; ByteDance;
    Lenovo; BYD; TSMC; Foxconn; Tata Consultancy Services; Infosys; Wipro; Reliance Industries; Flipkart; Petrobras;
    Vale; Embraer; Itaú Unibanco; Pemex; Cemex; Gazprom; Yandex; Aeroflot; Netflix; Disney; Warner Bros.; Spotify;
    Uber; Lyft; Airbnb; Booking.com; Zoom; Slack; Salesforce; Adobe; Dropbox; GitHub; GitLab; Mozilla; Red Hat;
    Canonical; OpenAI; DeepMind; Hugging Face; Anthropic; Tesla; SpaceX; Ford; General Motors; General Electric; 3M;
    FedEx; UPS; DHL; Maersk; AT&T; Verizon; T-Mobile; Vodafone; Orange; Telefónica; Comcast; BBC; CNN; NPR; Reuters;
    The New York Times; The Guardian; Le Monde; Der Spiegel; Al Jazeera; NHK; Harvard University; MIT; Stanford;
    Yale; Princeton University; University of Oxford; Cambridge University; ETH Zurich; TU Delft; Sorbonne;
    Humboldt University; University of Bologna; University of Tokyo; Tsinghua University; Peking University;
    Seoul National University; National University of Singapore; IIT Bombay; University of Cape Town; UCLA; NYU;
    Mayo Clinic; Cleveland Clinic; Johns Hopkins Hospital; Massachusetts General Hospital; Charité; Guy's Hospital;
    NHS; NHS England; FDA; CDC; EPA; FBI; CIA; NSA; IRS; DMV; HMRC; MI5; Home Office; Scotland Yard; NASA; ESA;
    CERN; NATO; OPEC; ASEAN; European Union; EU; European Commission; European Central Bank; IMF; World Bank; WHO;
    UNICEF; UNESCO; United Nations; UN; Interpol; Europol; Amnesty International; Greenpeace; Oxfam; Red Cross;
    Médecins Sans Frontières; Save the Children; Wikimedia Foundation; Linux Foundation; Ministry of Defence;
    Department of Justice; Department of Education; Supreme Court; House of Commons; US Senate; Congress; Knesset;
    Bundestag; Bundesbank; Federal Reserve; Bank of England; Bank of Japan; Securities and Exchange Commission; SEC;
    FC Barcelona; Real Madrid; Manchester United; Liverpool FC; Bayern Munich; Juventus; Ajax; Chicago Bulls;
    New York Yankees; Green Bay Packers; Los Angeles Lakers; FIFA; UEFA; NBA; IOC; The Beatles; Labour Party;
    Republican Party; Liberal Democrats; Hamas; Taliban; Hezbollah; IRA; Church of England; McKinsey; Deloitte;
    PwC; KPMG; Ernst & Young; Accenture; Starbucks; McDonald's; Burger King; KFC; Pizza Hut; Coca-Cola; PepsiCo
""")
INVENTED = listed("""
    Brightfold; Kestrel; Lumenary; Quandt; Vexel; Norrbyte; Oakhaven; Tallowmere; Zephyrine; Cobaltic; Mirrorlake;
    Pinecone; Halcyon; Northwind; Stackyard; Fernhill; Bluejay; Ironbridge; Candela; Velora; Opaline; Saltmarsh;
    Trident; Arbor; Meridian; Skylark; Copperline; Juniper; Ridgeway; Solvanta; Quillon; Aerolith; Datumo; Fluxor;
    Nimbara; Ostrava Digital; Redwood; Harbourlight; Pixelforge; Greenleaf; Wayfarer; Atlas; Beacon; Summit; Apex
""")
SHAPES = listed("""
    {last} & Sons; {last} and Sons; {last} Brothers; {last}, {last} & {last} LLP; {last} & Partners; {last} Ltd;
    {last} Ltd.; {last} Inc; {last} Inc.; {last} GmbH; {last} Group; {last} LLC; {last} plc; {last}-{last};
    {brand} Inc.; {brand} Ltd; {brand} Technologies; {brand} AG; {brand}; {brand}; {brand} Software;
    {brand} Capital; {brand} Labs; {brand} Pharmaceuticals; {brand} Logistics; {brand} Energy; {brand} Insurance;
    {brand} Foods; {brand} Airlines; {brand} Foundation; {brand} Consulting Group; {brand} Media; {brand} Solutions;
    University of {city}; {city} University; {city} College; {city} Institute of Technology; {city} High School;
    {city} Technical University; {last} College; St. {first}'s Hospital; {city} General Hospital; {last} Clinic;
    {city} Children's Hospital; {last} Memorial Hospital; {city} Medical Center; {city} Dental Practice;
    St {first} Primary School; Ministry of Health; Ministry of Finance; Ministry of Foreign Affairs;
    Department of Transportation; Department of Labor; {city} City Council; {city} Police Department;
    {city} District Court; {city} Chamber of Commerce; Bank of {city}; First National Bank of {city};
    {city} Savings Bank; {last} Bank; {brand} Credit Union; {last} Bakery; {city} Rovers; {city} United; FC {city};
    {city} City FC; {city} Tigers; {city} Rowing Club; {city} Symphony Orchestra; {city} Museum of Art;
    {last} Trust; {last} Foundation; Friends of {city}; Institute for {field} Research; Centre for {field};
    National {field} Agency; European {field} Authority; International {field} Federation; {field} Council;
    Society for {field}; Journal of {field}; Office of {field}; {acronym}; {acronym}; {acronym} Bank;
    {acronym} Systems; The {city} Herald; {city} Gazette; {last} Publishing; Café {last}; The {brand} Hotel;
    {brand} Pharmacy; {last} Law Firm; {last} Plumbing; {last} Motors; {brand}.io; {brand} Bio; {brand} S.A.;
    {last} e Hijos; {last} S.p.A.; {last} et Fils; {brand} B.V.; {brand} Sp. z o.o.; {brand} AB; {brand} Oy
""")
FIELDS = listed("""
    Marine Biology; Food Safety; Climate; Aviation; Nuclear Energy; Public Health; Cancer; Data Protection;
    Applied Mathematics; Economic Policy; Human Rights; Rural Development; Chess; Consumer Protection; Fisheries;
    Refugee Support; Tax Administration; Space Exploration; Language Learning; Migration; Cybersecurity
""")
# -------------------------------------------------------------------------------------------- people

Names = tuple[tuple[str, ...], tuple[str, ...]]
ROMANISED: dict[str, Names] = {
    "zh_CN": (
        listed("""Wei; Xiaoming; Li; Jing; Yan; Fang; Min; Jun; Hao; Ming; Xiuying; Haoran; Zihan; Yuxuan; Meiling;
            Guoqiang; Jianhua; Xiaoli; Tao; Lei; Na; Qiang; Xin; Chen; Rui; Yichen; Shuang; Zhenhua; Bo; Ying"""),
        listed("""Wang; Li; Zhang; Liu; Chen; Yang; Huang; Zhao; Wu; Zhou; Xu; Sun; Ma; Zhu; Hu; Guo; He; Lin; Gao;
            Luo; Zheng; Liang; Xie; Song; Tang; Deng; Ouyang; Xiao; Cao; Qian; Jiang; Bai; Sima; Zhuge"""),
    ),
    "zh_TW": (
        listed(
            "Chih-Ming; Yu-Ting; Chia-Hao; Mei-Ling; Wen-Hsiung; Shu-Fen; Po-Han; Ya-Ting; Tzu-Ying; Kuan-Yu"
        ),
        listed(
            "Chen; Lin; Huang; Chang; Lee; Wu; Liu; Tsai; Hsu; Cheng; Hsieh; Kuo; Chiu; Tseng; Liao; Chuang"
        ),
    ),
    "ja_JP": (
        listed("""Haruto; Yui; Sakura; Takumi; Kenji; Hiroshi; Yoko; Akiko; Satoshi; Naoki; Emi; Ryo; Daisuke; Mika;
            Aoi; Kaito; Shinji; Tomoko; Keiko; Yuki; Hana; Ren; Masahiro; Chiyo"""),
        listed("""Sato; Suzuki; Takahashi; Tanaka; Watanabe; Ito; Yamamoto; Nakamura; Kobayashi; Kato; Yoshida;
            Yamada; Sasaki; Matsumoto; Inoue; Kimura; Hayashi; Shimizu; Mori; Abe; Ikeda; Ōno; Fujiwara; Ueda"""),
    ),
    "ko_KR": (
        listed("""Min-jun; Seo-yeon; Ji-hoon; Ji-woo; Hye-jin; Sung-min; Eun-ji; Jae-hyun; Soo-jin; Dong-hyun;
            Minseo; Hyunwoo; Yuna; Taeyang; Kyung-soo; Bora; Young-ja; Joon-ho"""),
        listed(
            "Kim; Lee; Park; Choi; Jung; Kang; Cho; Yoon; Jang; Lim; Han; Oh; Seo; Shin; Kwon; Hwang; Ahn; Song"
        ),
    ),
    "ar_AA": (
        listed("""Mohammed; Ahmed; Fatima; Aisha; Omar; Ali; Hassan; Layla; Yousef; Khalid; Noor; Mariam; Ibrahim;
            Abdullah; Zainab; Tariq; Samira; Huda; Abdul Rahman; Rania; Mahmoud; Salma; Bilal; Dina"""),
        listed("""Al-Farsi; Haddad; Khoury; Mansour; El-Sayed; Nasser; Al-Rashid; Hussein; Abdallah; Saleh; Darwish;
            Al Maktoum; Bin Salem; Awad; Hamdan; Qureshi; Aziz; Al-Zahrani; Benali; Bouzid; Sharif"""),
    ),
    "ru_RU": (
        listed("""Ivan; Olga; Dmitri; Sergey; Anastasia; Yekaterina; Mikhail; Nikolai; Tatiana; Alexei; Svetlana;
            Vladimir; Irina; Boris; Yulia; Pavel; Natalia; Andrei; Ksenia; Maxim; Galina; Oleksandr; Oksana"""),
        listed("""Ivanov; Petrova; Smirnov; Kuznetsova; Volkov; Sokolov; Popova; Morozov; Lebedeva; Kozlov; Novikov;
            Pavlenko; Shevchenko; Kovalchuk; Bondarenko; Fedorov; Orlova; Zaitsev; Tkachenko; Belov"""),
    ),
    "el_GR": (
        listed(
            "Giorgos; Maria; Dimitris; Eleni; Kostas; Katerina; Yannis; Sofia; Nikos; Panagiotis; Vasiliki"
        ),
        listed(
            "Papadopoulos; Nikolaidis; Georgiou; Pappas; Karagiannis; Vlachos; Antoniou; Economou; Makris"
        ),
    ),
    "hi_IN": (
        listed("""Aarav; Priya; Rohan; Ananya; Sunita; Rajesh; Vikram; Deepa; Lakshmi; Arjun; Kavita; Sanjay; Meera;
            Gurpreet; Harpreet; Ravi; Pooja; Nikhil; Shreya; Ashok; Imran; Farah; Subramaniam; Karthik; Divya"""),
        listed("""Sharma; Patel; Singh; Kumar; Gupta; Iyer; Reddy; Nair; Mehta; Banerjee; Chatterjee; Das; Joshi; Rao;
            Kaur; Khan; Menon; Pillai; Desai; Verma; Mukherjee; Krishnamurthy; Agarwal; Bhatt; Gill; Sheikh"""),
    ),
    "ng": (
        listed("""Chinedu; Ngozi; Oluwaseun; Adaeze; Emeka; Funmilayo; Kwame; Abena; Kofi; Ama; Wanjiru; Kamau;
            Thabo; Nomvula; Sipho; Amina; Mamadou; Fatou; Ousmane; Abebe; Tigist; Zainab; Tendai; Achieng"""),
        listed("""Okafor; Adeyemi; Nwosu; Eze; Okonkwo; Abiola; Mensah; Owusu; Boateng; Mwangi; Otieno; Njoroge;
            Dlamini; Nkosi; Mokoena; Diallo; Traoré; Ndiaye; Keita; Tesfaye; Bekele; Moyo; Chukwu; Asante"""),
    ),
}
FAMILIES = listed("""
    O'Brien; O'Connor; O'Sullivan; O'Neill; O'Hara; McDonald; McCarthy; McGregor; McAllister; MacLeod; Mac Giolla;
    van der Berg; van der Meer; van den Heuvel; van Dijk; de Vries; de la Cruz; de la Fuente; De Luca; Di Marco;
    von Hohenstein; von der Leyen; da Silva; dos Santos; Le Goff; D'Angelo; D'Souza; St. John; Ben-David; al-Amin;
    Marsh; Baker; Brown; Young; King; Wood; Stone; Rivers; Woods; Field; Bush; Snow; Price; Page; Love; Church;
    Summers; May; Winter; Ford; Lincoln; London; York; Bishop; Knight; Pope; Cook; Carter; Mason; Read; Rose
""")
NICKNAMES = listed("""
    Bob; Bill; Liz; Maggie; Dave; Mike; Jess; Kat; Tom; Will; Grace; Hope; Faith; Joy; Mark; Jack; Bella; Nico;
    Sasha; Misha; Pepe; Lola; Gigi; Ollie; Izzy; Sam; Alex; Max; Ben; Charlie; Frankie; Tess; Dee; Rob; Art; Drew;
    April; June; Rose; Iris; Ruby; Amber; Jasmine; Summer; Autumn; Robin; Rich; Pat; Chase; Hunter; Skyler; Wayne
""")
# ---------------------------------------------------------------------------------------- coded values
# In patterns: # is a digit, N a digit from 2 to 9, A a capital, X either a digit or a capital.

PHONES: dict[str, tuple[str, ...]] = {
    "US": ("(N##) N##-####", "N##-N##-####", "+1 N## N## ####", "N##.N##.####", "1-N##-N##-####", "N##N######",
           "+1-N##-N##-####", "(N##) N##-#### ext. ###", "+1N##N######"),
    "GB": ("+44 20 7### ####", "020 7### ####", "07### ######", "+44 7### ######", "01### ######", "0161 ### ####"),
    "IN": ("+91 9#### #####", "9#########", "+91-8#########", "022-2### ####"),
    "AU": ("04## ### ###", "+61 4## ### ###", "(02) 9### ####"),
    "IE": ("+353 8# ### ####", "08# ### ####", "01 ### ####"),
    "DE": ("+49 30 ########", "030 ########", "+49 17# #######", "0171/#######", "0049 89 ######", "089 / ### ## ##"),
    "CH": ("+41 44 ### ## ##", "079 ### ## ##"),
    "AT": ("+43 1 ### ## ##", "0664 #######"),
    "FR": ("+33 6 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "+331########"),
    "ES": ("+34 6## ### ###", "91 ### ## ##", "6########"),
    "MX": ("+52 55 #### ####", "55 #### ####"),
    "IT": ("+39 3## #######", "06 #######", "3## ### ####", "02/#######"),
    "PL": ("+48 5## ### ###", "22 ### ## ##", "6## ### ###"),
    "BR": ("+55 11 9####-####", "(11) 9####-####", "(21) 3###-####"),
    "PT": ("+351 9## ### ###", "21# ### ###"),
    "NL": ("+31 6 ########", "06-########", "020-#######"),
    "BE": ("+32 4## ## ## ##", "02 ### ## ##"),
    "SE": ("+46 7# ### ## ##", "08-### ### ##"),
    "TR": ("+90 5## ### ## ##", "0212 ### ## ##", "05#########"),
    "CZ": ("+420 7## ### ###", "7## ### ###"),
    "CN": ("13#########", "+86 13# #### ####", "15#########", "186 #### ####", "138-####-####", "010-8#######",
           "0755-########"),
    "TW": ("09##-###-###", "+886 2 #### ####"),
    "JP": ("090-####-####", "03-####-####", "080-####-####", "+81 90 #### ####"),
    "KR": ("010-####-####", "02-###-####", "+82 10-####-####"),
    "RU": ("+7 9## ###-##-##", "8 (495) ###-##-##", "89#########"),
    "NG": ("+234 80# ### ####", "080########"),
}  # fmt: skip
POSTCODES: dict[str, tuple[str, ...]] = {
    "US": ("#####", "#####", "#####-####"), "GB": ("AN #NA", "A1# #AA", "AA# #AA", "AA#A #AA", "A# #AA"),
    "CA": ("A#A #A#", "A#A#A#"), "AU": ("N###",), "IN": ("N#####", "N## ###"), "DE": ("#####",), "FR": ("#####",),
    "ES": ("#####",), "IT": ("#####",), "PL": ("##-###",), "NL": ("N### AA", "N###AA"), "CH": ("N###",),
    "AT": ("N###",), "BE": ("N###",), "PT": ("N###-###",), "BR": ("#####-###", "########"), "SE": ("N## ##",),
    "CZ": ("N## ##",), "TR": ("#####",), "CN": ("N#####",), "JP": ("###-####", "〒###-####"), "KR": ("#####",),
    "RU": ("N#####",), "MX": ("#####",), "IE": ("A## AX##",),
}  # fmt: skip
IBANS = {
    "DE": "#" * 18, "GB": "AAAA" + "#" * 14, "FR": "#" * 10 + "X" * 11 + "##", "ES": "#" * 20,
    "IT": "A" + "#" * 10 + "X" * 12, "NL": "AAAA" + "#" * 10, "PL": "#" * 24, "PT": "#" * 21, "BE": "#" * 12,
    "CH": "#" * 17, "AT": "#" * 16, "SE": "#" * 20, "NO": "#" * 11, "DK": "#" * 14, "FI": "#" * 14,
    "CZ": "#" * 20, "IE": "AAAA" + "#" * 14, "TR": "######" + "X" * 16, "GR": "#" * 23, "RO": "AAAA" + "X" * 16,
}  # fmt: skip
LICENCES = {
    "CA": "A#######", "NY": "### ### ###", "TX": "########", "FL": "A###-###-##-###-#", "IL": "A###-####-####",
    "WA": "WDLAAAA###AA", "OH": "AA######", "NJ": "A#### ##### #####", "MI": "A ### ### ### ###",
    "PA": "## ### ###", "WI": "A###-####-####-##", "MD": "A-###-###-###-###", "VA": "A########", "GA": "#########",
    "NC": "############", "AZ": "A########", "CO": "##-###-####", "MA": "S########", "MN": "A############",
    "OR": "#######", "NH": "##AAA#####", "KS": "K##-##-####", "ID": "AA######A", "MO": "A#########",
}  # fmt: skip
CARDS = (("4", 16), ("4", 16), ("51", 16), ("53", 16), ("55", 16), ("37", 15), ("34", 15), ("6011", 16),
         ("3530", 16), ("2221", 16), ("62", 16))  # fmt: skip
MAILBOXES = listed("""
    gmail.com; yahoo.com; outlook.com; hotmail.com; icloud.com; proton.me; aol.com; gmx.de; web.de; mail.ru; qq.com;
    163.com; naver.com; orange.fr; libero.it; wp.pl; example.com; example.org; fastmail.com; live.co.uk
""")
ENDINGS = listed(
    "com; com; com; org; net; io; co.uk; de; fr; eu; ai; dev; edu; gov; info; shop; co; us; in; cn; app"
)

# ------------------------------------------------------------------------------------------- languages


@dataclass(frozen=True)
class Words:
    """What a language other than English says for places, groups, titles, firms and dates."""

    cities: tuple[str, ...]
    regions: tuple[str, ...]
    countries: tuple[str, ...]
    groups: tuple[str, ...]
    titles: tuple[str, ...]
    firms: tuple[str, ...]
    months: tuple[str, ...]
    days: tuple[str, ...]
    dates: tuple[str, ...]
    times: tuple[str, ...]
    relative: tuple[str, ...]
    month_year: str = "{month} {y}"
    year: str = "{y}"


NUMERIC = ("{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}", "{d}.{m}.{y}")
CLOCK = ("{h:02}:{mm:02}", "{h}:{mm:02}")
WORDS: dict[str, Words] = {
    "de": Words(
        listed("""Berlin; Hamburg; München; Köln; Frankfurt am Main; Stuttgart; Düsseldorf; Leipzig; Bremen; Essen;
            Nürnberg; Bielefeld; Freiburg; Görlitz; Tübingen; Bad Homburg; Wien; Graz; Salzburg; Linz; Zürich; Bern;
            Basel; Winterthur; Passau; Lüneburg; Cottbus; Kiel; Rostock; Paris; London; Mailand; Warschau; Prag"""),
        listed("""Bayern; Hessen; Sachsen; Nordrhein-Westfalen; Baden-Württemberg; Niedersachsen; Thüringen; Tirol;
            Steiermark; Kärnten; Schleswig-Holstein; Allgäu; Südtirol; Graubünden; Toskana"""),
        listed("""Deutschland; Österreich; Frankreich; Italien; Spanien; Polen; Tschechien; Dänemark; Schweden;
            Griechenland; Rumänien; China; Japan; Indien; Brasilien; Kanada; Marokko; Ägypten; Syrien; Kroatien"""),
        listed("""deutsch; Deutsche; Österreicher; Schweizer; Türke; Türkin; Syrer; Polin; Italiener; Franzose;
            Katholikin; Muslim; Jüdin; Protestant; Buddhist; Grüne; Sozialdemokrat; Kurde; Ukrainerin; Kroate"""),
        listed("Herr; Frau; Dr.; Prof.; Prof. Dr.; Hr.; Fr."),
        listed("""{last} GmbH; {last} & Söhne; {last} AG; {brand} GmbH & Co. KG; Universität {city}; Stadtwerke {city};
            Technische Universität {city}; Universitätsklinikum {city}; Sparkasse {city}; Volksbank {city}; FC {city};
            Amtsgericht {city}; Finanzamt {city}; Bundesagentur für Arbeit; Deutsche Bahn; Deutsche Telekom; Siemens;
            Allianz; Bundesministerium für Gesundheit; Bundestag; Rotes Kreuz; Kanzlei {last} & {last}; AOK; ADAC;
            Bäckerei {last}; {brand} e.V.; TSV {city}; Max-Planck-Institut für Physik; Commerzbank; {brand}; SPD"""),
        listed("""
            Januar; Februar; März; April; Mai; Juni; Juli; August; September; Oktober; November; Dezember
        """),
        listed("Montag; Dienstag; Mittwoch; Donnerstag; Freitag; Samstag; Sonntag"),
        ("{d}. {month} {y}", "{d}. {month}", "{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}"),
        ("{h:02}:{mm:02} Uhr", "{h} Uhr", "{h:02}:{mm:02}", "halb {t}"),
        listed("nächste Woche; gestern; morgen; letzten Monat; übermorgen; heute Abend; vor zwei Wochen; Mittag"),
    ),
    "fr": Words(
        listed("""Paris; Lyon; Marseille; Toulouse; Nice; Nantes; Strasbourg; Montpellier; Bordeaux; Lille; Rennes;
            Reims; Saint-Étienne; Le Havre; Grenoble; Dijon; Angers; Brest; Limoges; Clermont-Ferrand; La Rochelle;
            Aix-en-Provence; Genève; Lausanne; Bruxelles; Liège; Montréal; Québec; Alger; Dakar; Tunis; Londres"""),
        listed("""Bretagne; Normandie; Provence; Alsace; Corse; Occitanie; Île-de-France; Bourgogne; Savoie; Wallonie;
            Gironde; Hauts-de-France; Vaud; Kabylie; Catalogne"""),
        listed("""France; Belgique; Suisse; Espagne; Italie; Allemagne; Portugal; Maroc; Algérie; Tunisie; Sénégal;
            Canada; Chine; Japon; Inde; Brésil; Cameroun; Liban; Vietnam; Royaume-Uni; États-Unis; Pologne"""),
        listed("""français; française; belge; suisse; marocain; algérienne; tunisien; sénégalaise; italien; espagnole;
            catholique; musulman; juive; protestant; bouddhiste; socialiste; communiste; écologiste; kurde; bretonne"""),
        listed("M.; Mme; Mlle; Dr; Pr; Monsieur; Madame; Me; Docteur"),
        listed("""{last} et Fils; {last} SARL; {brand} SA; {brand} SAS; Université de {city}; CHU de {city}; Crédit Agricole;
            BNP Paribas; Société Générale; La Poste; SNCF; Renault; EDF; Carrefour; Cabinet {last}; Boulangerie {last};
            Lycée {last}; Ministère de la Santé; Préfecture de {city}; Mairie de {city}; Tribunal de {city}; CPAM;
            Olympique de {city}; Hôpital Saint-{first}; CNRS; Institut Pasteur; Assurances {last}; {brand}; Groupe {last}"""),
        listed("""
            janvier; février; mars; avril; mai; juin; juillet; août; septembre; octobre; novembre; décembre
        """),
        listed("lundi; mardi; mercredi; jeudi; vendredi; samedi; dimanche"),
        ("{d} {month} {y}", "{d} {month}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}", "{d:02}-{m:02}-{y}"),
        ("{h}h{mm:02}", "{h} h {mm:02}", "{h:02}:{mm:02}", "{h}h", "midi"),
        listed("la semaine prochaine; hier; demain; le mois dernier; ce soir; il y a deux ans; après-demain"),
    ),
    "es": Words(
        listed("""Madrid; Barcelona; Valencia; Sevilla; Zaragoza; Málaga; Bilbao; Granada; Vigo; Oviedo; Cuenca; Burgos;
            Salamanca; Alcalá de Henares; San Sebastián; Ciudad de México; Guadalajara; Monterrey; Bogotá; Medellín;
            Cali; Lima; Cusco; Quito; Santiago; Buenos Aires; Rosario; Córdoba; Montevideo; La Paz; Caracas; Londres"""),
        listed("""Andalucía; Cataluña; Galicia; Castilla y León; País Vasco; Extremadura; Asturias; Murcia; Jalisco;
            Chiapas; Antioquia; Patagonia; Canarias; Navarra; Mendoza"""),
        listed("""España; México; Colombia; Argentina; Perú; Chile; Ecuador; Venezuela; Uruguay; Bolivia; Cuba;
            Francia; Italia; Alemania; Portugal; Estados Unidos; China; Japón; Marruecos; Brasil; Reino Unido"""),
        listed("""español; española; mexicano; colombiana; argentino; peruana; chileno; venezolana; cubano; francés;
            católica; musulmán; judía; evangélico; budista; socialista; comunista; gitana; catalán; vasca; marroquí"""),
        listed("Sr.; Sra.; Srta.; Dr.; Dra.; Don; Doña; D.; Prof."),
        listed("""{last} e Hijos; {last} S.L.; {last} S.A.; {brand} S.A. de C.V.; Universidad de {city}; Banco {last};
            Hospital General de {city}; Ayuntamiento de {city}; Ministerio de Sanidad; Banco Santander; BBVA; Telefónica;
            Iberia; Mercadona; Inditex; Real Madrid; Atlético de {city}; Colegio San {first}; Clínica {last}; Seguros {last};
            Juzgado de {city}; Guardia Civil; Cruz Roja; PSOE; Grupo {last}; {brand}; Panadería {last}; UNAM; Pemex; CSIC"""),
        listed("""
            enero; febrero; marzo; abril; mayo; junio; julio; agosto; septiembre; octubre; noviembre;
            diciembre
        """),
        listed("lunes; martes; miércoles; jueves; viernes; sábado; domingo"),
        ("{d} de {month} de {y}", "{d} de {month}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}", "{d}-{m}-{y}"),
        ("{h:02}:{mm:02}", "{t} de la tarde", "{t}:{mm:02} p. m.", "mediodía", "{h} h"),
        listed("la semana que viene; ayer; mañana; el mes pasado; anoche; hace dos años; pasado mañana"),
        "{month} de {y}",
    ),
    "it": Words(
        listed("""Roma; Milano; Torino; Napoli; Palermo; Genova; Bologna; Firenze; Bari; Catania; Verona; Trieste; Parma;
            Modena; Lecce; Bergamo; Reggio Calabria; Pisa; Trento; Cuneo; Matera; Siracusa; L'Aquila; Lugano; Parigi"""),
        listed("Toscana; Lombardia; Sicilia; Sardegna; Puglia; Veneto; Piemonte; Lazio; Calabria; Umbria; Marche"),
        listed("Italia; Francia; Germania; Spagna; Svizzera; Austria; Romania; Albania; Cina; Giappone; Marocco; Brasile"),
        listed("""italiano; italiana; francese; tedesco; rumena; albanese; cinese; marocchino; cattolica; musulmano; ebrea;
            protestante; buddista; comunista; socialista; siciliano; sarda; ucraina; valdese"""),
        listed("Sig.; Sig.ra; Dott.; Dott.ssa; Prof.; Avv.; Ing.; Signora; Signor"),
        listed("""{last} S.p.A.; {last} S.r.l.; Fratelli {last}; {last} & Figli; Università di {city}; Politecnico di {city};
            Ospedale San {first}; Comune di {city}; Tribunale di {city}; Banca Popolare di {city}; Intesa Sanpaolo; Eni;
            UniCredit; Fiat; Trenitalia; Poste Italiane; Ministero della Salute; Juventus; Inter; Studio Legale {last};
            Farmacia {last}; INPS; Agenzia delle Entrate; Croce Rossa; {brand}; Liceo {last}; Pasticceria {last}; RAI"""),
        listed("""
            gennaio; febbraio; marzo; aprile; maggio; giugno; luglio; agosto; settembre; ottobre; novembre;
            dicembre
        """),
        listed("lunedì; martedì; mercoledì; giovedì; venerdì; sabato; domenica"),
        ("{d} {month} {y}", "{d} {month}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}", "{d:02}.{m:02}.{y}"),
        (*CLOCK, "ore {h}:{mm:02}", "{h}.{mm:02}", "mezzogiorno"),
        listed("la settimana prossima; ieri; domani; il mese scorso; stasera; due anni fa; dopodomani"),
    ),
    "pt": Words(
        listed("""São Paulo; Rio de Janeiro; Belo Horizonte; Salvador; Curitiba; Recife; Fortaleza; Porto Alegre; Manaus;
            Campinas; Florianópolis; Ouro Preto; Brasília; Lisboa; Porto; Braga; Coimbra; Faro; Évora; Luanda; Maputo"""),
        listed("Bahia; Minas Gerais; Paraná; Ceará; Santa Catarina; Alentejo; Algarve; Madeira; Goiás; Pernambuco; Pará"),
        listed("Brasil; Portugal; Angola; Moçambique; Argentina; Espanha; França; Itália; Japão; China; Estados Unidos"),
        listed("""brasileiro; brasileira; português; portuguesa; angolano; argentina; italiano; japonesa; católico;
            evangélica; judeu; muçulmana; espírita; socialista; comunista; alemã; guarani; espanhol"""),
        listed("Sr.; Sra.; Dr.; Dra.; Prof.; Profa.; Dona; Seu; Eng."),
        listed("""{last} Ltda.; {last} & Filhos; {last} S.A.; {brand} Lda.; Universidade de {city}; Hospital São {first};
            Prefeitura de {city}; Câmara Municipal de {city}; Banco do Brasil; Itaú; Bradesco; Petrobras; Embraer; Vale;
            Ministério da Saúde; Receita Federal; Flamengo; Benfica; Sporting; Caixa Geral de Depósitos; Padaria {last};
            Colégio {last}; Clínica {last}; Advocacia {last}; {brand}; USP; PT; Correios; Nubank; Construtora {last}"""),
        listed("""
            janeiro; fevereiro; março; abril; maio; junho; julho; agosto; setembro; outubro; novembro;
            dezembro
        """),
        listed("segunda-feira; terça-feira; quarta-feira; quinta-feira; sexta-feira; sábado; domingo"),
        ("{d} de {month} de {y}", "{d} de {month}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}", "{d:02}-{m:02}-{y}"),
        ("{h}h{mm:02}", "{h:02}:{mm:02}", "{h}h", "meio-dia", "{t} da tarde"),
        listed("semana que vem; ontem; amanhã; mês passado; hoje à noite; há dois anos; depois de amanhã"),
        "{month} de {y}",
    ),
    "nl": Words(
        listed("""Amsterdam; Rotterdam; Den Haag; Utrecht; Eindhoven; Groningen; Tilburg; Breda; Nijmegen; Arnhem; Zwolle;
            's-Hertogenbosch; Leeuwarden; Maastricht; Delft; Gouda; Antwerpen; Gent; Brugge; Leuven; Brussel; Parijs"""),
        listed("Friesland; Noord-Brabant; Limburg; Zeeland; Drenthe; Gelderland; Vlaanderen; Overijssel; de Veluwe"),
        listed("Nederland; België; Duitsland; Frankrijk; Spanje; Italië; Turkije; Marokko; Suriname; Polen; China; Indonesië"),
        listed("""Nederlander; Nederlandse; Belg; Belgische; Turkse; Marokkaan; Surinaamse; Duitser; Poolse; Syriër;
            katholiek; moslim; joodse; protestant; boeddhist; socialist; liberaal; Friese; hindoe"""),
        listed("dhr.; mevr.; mw.; dr.; prof.; drs.; ir.; mr.; Meneer; Mevrouw"),
        listed("""{last} B.V.; {last} & Zonen; Gebroeders {last}; Bakkerij {last}; {brand} N.V.; Universiteit {city}; Ajax;
            Gemeente {city}; Rechtbank {city}; ING; Rabobank; ABN AMRO; Philips; ASML; KLM; Albert Heijn; Belastingdienst;
            Ministerie van Financiën; Erasmus MC; {city} Ziekenhuis; Stichting {last}; PostNL; NS; KBC; {brand}; UWV; VVD;
            Advocatenkantoor {last}; TU Delft; Rode Kruis"""),
        listed("""
            januari; februari; maart; april; mei; juni; juli; augustus; september; oktober; november;
            december
        """),
        listed("maandag; dinsdag; woensdag; donderdag; vrijdag; zaterdag; zondag"),
        ("{d} {month} {y}", "{d} {month}", "{d:02}-{m:02}-{y}", "{y}-{m:02}-{d:02}", "{d}/{m}/{y}"),
        ("{h:02}:{mm:02} uur", "{h}.{mm:02} uur", "{h:02}:{mm:02}", "half {t}"),
        listed("volgende week; gisteren; morgen; vorige maand; overmorgen; vanavond; twee jaar geleden"),
    ),
    "pl": Words(
        listed("""Warszawa; Kraków; Łódź; Wrocław; Poznań; Gdańsk; Szczecin; Lublin; Katowice; Białystok; Gdynia; Radom;
            Rzeszów; Toruń; Kielce; Olsztyn; Bielsko-Biała; Zakopane; Sopot; Zamość; Nowy Sącz; Berlin; Londyn; Praga"""),
        listed("Mazowsze; Śląsk; Małopolska; Podlasie; Pomorze; Wielkopolska; Kaszuby; Podhale; Warmia; Mazury"),
        listed("Polska; Niemcy; Czechy; Słowacja; Ukraina; Litwa; Francja; Hiszpania; Włochy; Chiny; Japonia; Norwegia"),
        listed("""Polak; Polka; Niemiec; Ukrainka; Czech; Francuz; Włoszka; Rosjanin; katolik; muzułmanin; Żydówka;
            protestant; buddysta; prawosławny; polski; ukraińska; niemiecki; socjalista; Ślązak"""),
        listed("Pan; Pani; dr; prof.; mgr; dr hab.; inż.; mec."),
        listed("""{last} Sp. z o.o.; {last} S.A.; {last} i Synowie; {brand} sp. j.; Uniwersytet Warszawski; PKO BP; mBank;
            Politechnika Gdańska; Szpital Miejski w Radomiu; Urząd Miasta Krakowa; Sąd Rejonowy w Lublinie; Orlen; PKP;
            Allegro; CD Projekt; LOT; Ministerstwo Zdrowia; ZUS; NFZ; Lech Poznań; Legia Warszawa; Kancelaria {last}; PZU;
            Piekarnia {last}; Fundacja {last}; Biedronka; Caritas; {brand}; Uniwersytet Jagielloński; KGHM; PAN"""),
        listed("""stycznia; lutego; marca; kwietnia; maja; czerwca; lipca; sierpnia; września; października; listopada;
            grudnia"""),
        listed("poniedziałek; wtorek; środa; czwartek; piątek; sobota; niedziela"),
        ("{d} {month} {y}", "{d} {month}", "{d} {month} {y} r.", "{d:02}.{m:02}.{y}", "{y}-{m:02}-{d:02}"),
        (*CLOCK, "{h}.{mm:02}", "{h}:{mm:02}", "południe"),
        listed("w przyszłym tygodniu; wczoraj; jutro; w zeszłym miesiącu; pojutrze; dziś wieczorem; dwa lata temu"),
        "{m:02}.{y}",
    ),
    "ru": Words(
        listed("""Москва; Санкт-Петербург; Новосибирск; Екатеринбург; Казань; Самара; Омск; Уфа; Пермь; Воронеж; Тула;
            Волгоград; Краснодар; Сочи; Иркутск; Томск; Владивосток; Калининград; Псков; Минск; Киев; Алматы; Ташкент"""),
        listed("Татарстан; Сибирь; Урал; Карелия; Подмосковье; Башкирия; Якутия; Дагестан; Ростовская область; Крым"),
        listed("Россия; Беларусь; Украина; Казахстан; Узбекистан; Грузия; Армения; Китай; Германия; Франция; Турция; Индия"),
        listed("""русский; русская; татарин; украинка; белорус; казах; узбек; армянин; грузинка; еврей; чеченец; башкир;
            православный; мусульманин; католик; буддист; коммунист; немец; китаец"""),
        listed("г-н; г-жа; д-р; проф.; господин; госпожа; доктор; профессор"),
        listed("""ООО «{brand}»; АО «{last}»; ПАО «{brand}»; ИП {last}; Сбербанк; Газпром; Яндекс; ВТБ; Тинькофф; Аэрофлот;
            МГУ; СПбГУ; МГТУ им. Баумана; Министерство здравоохранения; РЖД; Роснефть; Лукойл; Ростелеком; ВКонтакте;
            Городская больница № {n}; Школа № {n}; ЦСКА; Спартак; Зенит; Лаборатория Касперского; ФНС; Почта России;
            Альфа-Банк; Росатом; Мосгорсуд; ООО «{last} и партнёры»; Красный Крест"""),
        listed("""
            января; февраля; марта; апреля; мая; июня; июля; августа; сентября; октября; ноября; декабря
        """),
        listed("понедельник; вторник; среда; четверг; пятница; суббота; воскресенье"),
        ("{d} {month} {y} года", "{d} {month} {y}", "{d} {month}", "{d:02}.{m:02}.{y}", "{d:02}.{m:02}.{y} г."),
        (*CLOCK, "{t} часов утра", "{t} вечера", "полдень"),
        listed("на следующей неделе; вчера; завтра; в прошлом месяце; сегодня вечером; два года назад; послезавтра"),
        "{m:02}.{y}",
    ),
    "ja": Words(
        listed("""東京; 大阪; 京都; 名古屋; 札幌; 福岡; 仙台; 横浜; 神戸; 広島; 金沢; 那覇; 横浜市; 川崎市; さいたま市; 長野市;
            松山市; 熊本市; 新宿; 渋谷; 鎌倉; 奈良; 函館; 高松; ロンドン; パリ; ニューヨーク; ソウル; 上海; 北京"""),
        listed("東京都; 北海道; 大阪府; 京都府; 神奈川県; 愛知県; 兵庫県; 沖縄県; 長野県; 福岡県; 九州; 四国; 関東; 東北地方; 関西"),
        listed("日本; 中国; 韓国; アメリカ; イギリス; フランス; ドイツ; イタリア; ブラジル; インド; ベトナム; タイ; 台湾; カナダ"),
        listed("日本人; 中国人; 韓国人; アメリカ人; フランス人; ドイツ人; ブラジル人; ベトナム人; 仏教徒; キリスト教徒; イスラム教徒; カトリック; 日系人"),
        listed("教授; 博士; 先生"),
        listed("""株式会社{last}; {last}株式会社; {last}商事株式会社; 有限会社{last}; {brand}株式会社; {last}工業; {last}建設;
            {city}大学; {city}病院; {city}銀行; {city}市役所; {last}クリニック; {last}法律事務所; 東京大学; 京都大学; 早稲田大学;
            トヨタ自動車; ソニー; 任天堂; 楽天; ソフトバンク; 三菱UFJ銀行; 三井住友銀行; みずほ銀行; 日本郵便; NHK; 厚生労働省;
            外務省; 警視庁; 国立がん研究センター; 読売ジャイアンツ; 日立製作所; 富士通; 東京地方裁判所; 赤十字社"""),
        tuple(f"{n}月" for n in range(1, 13)),
        listed("""
            月曜日; 火曜日; 水曜日; 木曜日; 金曜日; 土曜日; 日曜日
        """),
        ("{y}年{m}月{d}日", "{m}月{d}日", "{y}/{m:02}/{d:02}", "{y}-{m:02}-{d:02}", "令和{e}年{m}月{d}日"),
        ("午前{t}時", "午後{t}時", "午後{t}時{mm}分", "{h}:{mm:02}", "{h}時", "{h}時半", "正午"),
        listed("来週; 先週; 昨日; 明日; 来月; 先月; 昨年; 今朝; 明後日; 来週の火曜日; 先週の金曜日"),
        "{y}年{m}月", "{y}年",
    ),
    "ko": Words(
        listed("""서울; 부산; 인천; 대구; 대전; 광주; 울산; 수원; 성남; 용인; 전주; 청주; 춘천; 강릉; 여수; 제주; 서울특별시; 부산광역시;
            수원시; 고양시; 창원시; 안동; 경주; 포항; 강남; 평양; 도쿄; 베이징; 뉴욕; 런던; 파리"""),
        listed("경기도; 강원도; 전라남도; 경상북도; 충청남도; 제주도; 전북; 경남; 충북; 수도권; 캘리포니아"),
        listed("한국; 대한민국; 북한; 중국; 일본; 미국; 영국; 프랑스; 독일; 베트남; 태국; 인도; 캐나다; 호주; 브라질"),
        listed("한국인; 중국인; 일본인; 미국인; 베트남인; 프랑스인; 조선족; 불교 신자; 천주교 신자; 기독교인; 무슬림; 가톨릭; 진보당원"),
        listed("교수; 박사; 선생님"),
        listed("""(주){brand}; 주식회사 {brand}; {last}건설; {last}전자; {last}법률사무소; {city}대학교; {city}병원; {city}은행; {city}시청;
            삼성전자; 현대자동차; LG화학; SK하이닉스; 네이버; 카카오; 국민은행; 신한은행; 우리은행; 하나은행; 서울대학교; 연세대학교;
            고려대학교; KAIST; 서울아산병원; 보건복지부; 외교부; 국세청; 경찰청; 대한항공; 롯데; 쿠팡; 배달의민족; KBS; 두산 베어스;
            한국전력공사; 대한적십자사"""),
        tuple(f"{n}월" for n in range(1, 13)),
        listed("""
            월요일; 화요일; 수요일; 목요일; 금요일; 토요일; 일요일
        """),
        ("{y}년 {m}월 {d}일", "{m}월 {d}일", "{y}.{m:02}.{d:02}", "{y}-{m:02}-{d:02}", "{y}. {m}. {d}."),
        ("오전 {t}시", "오후 {t}시", "오후 {t}시 {mm}분", "{h:02}:{mm:02}", "정오"),
        listed("다음 주; 지난주; 어제; 내일; 다음 달; 지난달; 작년; 오늘 아침; 모레; 다음 주 화요일; 지난 금요일"),
        "{y}년 {m}월", "{y}년",
    ),
    "tr": Words(
        listed("""İstanbul; Ankara; İzmir; Bursa; Antalya; Adana; Konya; Gaziantep; Eskişehir; Trabzon; Kayseri; Samsun;
            Diyarbakır; Mersin; Çanakkale; Bodrum; Şanlıurfa; Muğla; Kadıköy; Beşiktaş; Üsküdar; Berlin; Londra; Paris"""),
        listed("Ege; Marmara; Karadeniz; Anadolu; Trakya; İç Anadolu; Kapadokya; Güneydoğu Anadolu; Hatay; Bavyera"),
        listed("Türkiye; Almanya; Fransa; İngiltere; Hollanda; Yunanistan; Suriye; Irak; İran; Azerbaycan; Rusya; Çin; ABD"),
        listed("Türk; Kürt; Alman; Fransız; Suriyeli; Azeri; Ermeni; Rum; Çerkes; Müslüman; Alevi; Sünni; Hristiyan; Yahudi"),
        listed("Dr.; Prof.; Prof. Dr.; Doç. Dr.; Av.; Uzm. Dr."),
        listed("""{last} A.Ş.; {last} Ltd. Şti.; {last} Kardeşler; {brand} Teknoloji A.Ş.; {city} Üniversitesi; Koç Holding;
            {city} Devlet Hastanesi; {city} Belediyesi; Ziraat Bankası; İş Bankası; Garanti BBVA; Akbank; Sabancı Holding;
            Türk Hava Yolları; Turkcell; Arçelik; Vestel; Galatasaray; Fenerbahçe; Trendyol; Sağlık Bakanlığı; TÜBİTAK;
            {last} Hukuk Bürosu; {last} Eczanesi; Boğaziçi Üniversitesi; ODTÜ; SGK; PTT; Kızılay; {brand}; {city}spor"""),
        listed("""
            Ocak; Şubat; Mart; Nisan; Mayıs; Haziran; Temmuz; Ağustos; Eylül; Ekim; Kasım; Aralık
        """),
        listed("Pazartesi; Salı; Çarşamba; Perşembe; Cuma; Cumartesi; Pazar"),
        ("{d} {month} {y}", "{d} {month}", "{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02}"),
        (*CLOCK, "saat {t}", "{h}.{mm:02}", "öğlen"),
        listed("gelecek hafta; dün; yarın; geçen ay; bu akşam; iki yıl önce; geçen hafta; öbür gün"),
    ),
    "zh": Words(
        listed("""北京; 上海; 广州; 深圳; 成都; 杭州; 武汉; 西安; 南京; 重庆; 天津; 苏州; 长沙; 青岛; 大连; 厦门; 昆明; 哈尔滨;
            北京市; 上海市; 广州市; 深圳市; 成都市; 杭州市; 合肥市; 郑州市; 洛阳市; 桂林市; 三亚市; 义乌市; 昆山市; 绍兴; 泉州;
            拉萨; 乌鲁木齐; 呼和浩特; 兰州; 银川; 西宁; 贵阳; 南宁; 海口; 香港; 澳门; 台北; 高雄; 宜宾; 景德镇; 敦煌; 丽江;
            朝阳区; 海淀区; 浦东新区; 天河区; 武侯区; 伦敦; 巴黎; 纽约; 东京; 首尔; 新加坡; 莫斯科; 柏林; 旧金山; 悉尼"""),
        listed("""广东省; 浙江省; 江苏省; 四川省; 湖北省; 湖南省; 河南省; 山东省; 福建省; 云南; 广西; 西藏; 新疆; 内蒙古; 陕西;
            黑龙江省; 贵州; 甘肃; 海南; 江西省; 安徽; 山西省; 宁夏回族自治区; 台湾; 加利福尼亚州; 巴伐利亚; 东北; 长三角"""),
        listed("""中国; 美国; 英国; 法国; 德国; 日本; 韩国; 朝鲜; 俄罗斯; 印度; 巴西; 意大利; 西班牙; 加拿大; 澳大利亚; 越南; 泰国;
            马来西亚; 新加坡; 印度尼西亚; 菲律宾; 埃及; 南非; 尼日利亚; 土耳其; 伊朗; 沙特阿拉伯; 墨西哥; 波兰; 乌克兰; 瑞典"""),
        listed("""中国人; 汉族; 回族; 藏族; 维吾尔族; 蒙古族; 壮族; 满族; 苗族; 彝族; 朝鲜族; 土家族; 美国人; 日本人; 韩国人; 法国人;
            德国人; 英国人; 印度人; 佛教徒; 基督徒; 穆斯林; 天主教徒; 道教徒; 共产党员; 犹太人; 俄罗斯人; 越南籍; 美籍; 日籍"""),
        listed("先生; 女士; 教授; 博士; 小姐; 医生; 老师"),
        listed("""{city}{brand}科技有限公司; {brand}有限公司; {city}{brand}贸易有限公司; {brand}信息技术有限公司; {brand}集团;
            {city}{brand}食品股份有限公司; {brand}律师事务所; {brand}证券; {brand}保险; {city}大学; {city}师范大学; {city}理工大学;
            {city}第一人民医院; {city}中医院; {city}市第二中学; {city}实验小学; {city}银行; {city}农商银行; {city}市公安局;
            {city}市人民法院; {city}市税务局; {city}市教育局; {city}博物馆; {city}地铁集团; {city}日报社; 北京大学; 清华大学; 复旦大学;
            浙江大学; 上海交通大学; 中山大学; 协和医院; 华西医院; 中国银行; 中国工商银行; 招商银行; 建设银行; 交通银行; 平安保险; 华为;
            腾讯; 阿里巴巴; 百度; 字节跳动; 京东; 小米; 比亚迪; 美团; 网易; 顺丰速运; 中国移动; 中国石油; 国家电网; 格力电器; 茅台集团;
            教育部; 外交部; 公安部; 国家税务总局; 卫生健康委员会; 中国科学院; 新华社; 中央电视台; 红十字会; 广州恒大足球俱乐部;
            微软; 苹果公司; 谷歌; 三星电子; 联合国; 世界卫生组织; 世界银行; 欧盟"""),
        tuple(f"{n}月" for n in range(1, 13)),
        listed("""
            星期一; 星期二; 星期三; 星期四; 星期五; 星期六; 星期日; 周一; 周二;
            周三; 周四; 周五; 周六; 周日; 下周三; 上周五; 下星期二; 本周四
        """),
        ("{y}年{m}月{d}日", "{y}年{m}月{d}日", "{m}月{d}日", "{m}月{d}号", "{y}-{m:02}-{d:02}", "{y}/{m}/{d}",
         "{y}.{m:02}.{d:02}", "{y}年{m}月{d}号"),
        ("上午{c}点", "下午{c}点", "晚上{c}点半", "上午{t}点", "下午{t}点{mm}分", "{h:02}:{mm:02}", "{h}点", "中午", "凌晨{c}点",
         "早上{t}点半", "{h}:{mm:02}"),
        listed("""下周; 上周; 昨天; 明天; 后天; 上个月; 下个月; 去年; 今年; 今天上午; 明天下午; 前天; 三天前; 两年前; 去年冬天; 春节;
            国庆节; 上世纪九十年代"""),
        "{y}年{m}月", "{y}年",
    ),
}  # fmt: skip
BRANDS = {
    "zh": listed("""
            鼎盛; 华泰; 恒源; 瑞丰; 天成; 博远; 星海; 云帆; 金桥; 明德; 启航;
            安信; 汇通; 中科; 宏达; 蓝天; 众信; 百川; 嘉禾; 联创
        """),
    "ja": listed("""
            未来; ひかり; 大和; 東洋; サクラ; ネクスト; アオバ; 日新; みらいテック;
            青空; 富岳; エース
        """),
    "ko": listed("""
            미래테크; 한빛; 새롬; 대성; 하늘소프트; 동방; 세종; 나래; 누리; 한울
        """),
    "ru": listed("""
            Вектор; Горизонт; Рассвет; Альянс; Прогресс; Северный ветер; Техносервис; Меридиан; Гранит
        """),
}
DIGITS_ZH = "零一二三四五六七八九"
SURNAMES_ZH = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任卢姚沈钟姜"
GIVEN_ZH = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华文玉建国子轩梓涵雨桐浩宇欣怡思远志强晓红海燕俊杰佳慧嘉琪一诺"
    "博文雅婷鹏飞春梅秀兰婷宁航睿晨曦泽楠峰凯瑶琳薇蕾倩颖"
)
COMPOUND_ZH = ("欧阳", "司马", "诸葛", "上官", "慕容", "东方")
DISTRICTS_ZH = listed("""
    北京市朝阳区; 北京市海淀区; 上海市浦东新区; 上海市徐汇区; 广东省广州市天河区; 广东省深圳市南山区; 浙江省杭州市西湖区;
    江苏省南京市鼓楼区; 江苏省苏州市工业园区; 四川省成都市武侯区; 湖北省武汉市洪山区; 陕西省西安市雁塔区; 山东省青岛市市南区;
    福建省厦门市思明区; 湖南省长沙市岳麓区; 重庆市渝中区; 天津市和平区; 河南省郑州市金水区; 辽宁省大连市中山区; 云南省昆明市五华区;
    安徽省合肥市蜀山区; 黑龙江省哈尔滨市南岗区; 广西壮族自治区南宁市青秀区; 新疆乌鲁木齐市天山区; 河北省石家庄市长安区
""")
ROADS_ZH = listed("""
            中山路; 人民路; 解放路; 建国路; 长江路; 科技园路; 学院路; 文化路;
            滨江大道; 世纪大道; 和平街; 幸福路; 延安西路; 天府大道; 珠江路
        """)
MONTHS = listed("""
            January; February; March; April; May; June; July; August; September; October; November;
            December
        """)
DAYS = listed("Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday")
DATES = (
    "{y}-{m:02}-{d:02}", "{m:02}/{d:02}/{y}", "{d:02}/{m:02}/{y}", "{d} {month}", "{month} {d}", "{d} {month} {y}",
    "{month} {d}, {y}", "{month} {d}{th} {y}", "{month} {d}{th}, {y}", "{d}{th} {month} {y}", "{month} {d}{th}",
    "{d:02}.{m:02}.{y}", "{d}-{mon}-{y}", "{mon} {d}, {y}", "{d} {mon} {y}", "{m}/{d}/{s:02}", "{y}/{m:02}/{d:02}",
    "the {d}{th} of {month}", "{mon}. {d}", "{day}, {month} {d}, {y}", "{day} {d} {month} {y}", "{d} {mon} {s:02}",
)  # fmt: skip
TIMES = ("{h:02}:{mm:02}", "{t}:{mm:02} am", "{t}:{mm:02} pm", "{t}pm", "{t} am", "{t}:{mm:02} PM", "{t} p.m.",
         "{h:02}:{mm:02}:{ss:02}", "noon", "midnight", "{t} o'clock", "{h:02}:{mm:02} UTC", "half past {t}",
         "{t}:{mm:02} a.m.")  # fmt: skip
RELATIVE = listed("""
    yesterday; tomorrow; last week; next week; last month; next month; last year; this morning; tonight; today;
    two weeks ago; three days ago; next Tuesday; last Friday; Q3 2022; Q1 2024; the 1990s; the 1980s; 1990s;
    early 2021; mid-March; late October; this weekend; last summer; the following Monday; Christmas 2019;
    the winter of 1987; tomorrow morning; yesterday afternoon; in 20 minutes; five years ago; FY2023
""")
WEEKDAYS = (
    "{day}",
    "{day}",
    "{day}",
    "next {day}",
    "last {day}",
    "this {day}",
    "{day} morning",
    "{day} afternoon",
)
TITLES = listed(
    "Mr; Mr.; Mrs; Mrs.; Ms; Ms.; Miss; Dr; Dr.; Prof; Prof.; Professor; Sir; Mx; Rev.; Dame; Madam; Lord"
)

# --------------------------------------------------------------------------------------------- values


def coded(pattern: str, chance: random.Random) -> str:
    """A value of the pattern: # any digit, N a digit from 2 to 9, A a capital, X a digit or a capital."""
    letters = {
        "#": string.digits,
        "N": "23456789",
        "A": string.ascii_uppercase,
        "X": string.digits + string.ascii_uppercase,
    }
    return "".join(chance.choice(letters[sign]) if sign in letters else sign for sign in pattern)


def luhn_digit(digits: str) -> str:
    """The last digit that makes a card number valid."""
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def iban_checked(country: str, account: str) -> str:
    """An IBAN with its two check digits."""
    number = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def grouped(text: str, size: int, separator: str) -> str:
    """Text cut into groups."""
    return separator.join(text[at : at + size] for at in range(0, len(text), size))


def plain(text: str) -> str:
    """Small ASCII letters of a name, for mail addresses; empty for other scripts."""
    folded = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("ß", "ss").replace("ı", "i"))
    return re.sub(r"[^a-z0-9]", "", folded.encode("ascii", "ignore").decode().lower())


def chinese_number(number: int) -> str:
    """A number below a hundred in Chinese."""
    tens, ones = divmod(number, 10)
    if not tens:
        return DIGITS_ZH[ones]
    return ("" if tens == 1 else DIGITS_ZH[tens]) + "十" + (DIGITS_ZH[ones] if ones else "")


def ordinal(day: int) -> str:
    """The ending of an English ordinal."""
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


@dataclass(frozen=True)
class Source:
    """Where all values of one run come from: one random stream and a seeded Faker for each locale."""

    seed: int
    fakers: dict[str, Faker] = field(default_factory=dict)

    @cached_property
    def chance(self) -> random.Random:
        """The random stream."""
        return random.Random(self.seed)

    def faker(self, locale: str) -> Faker:
        """The Faker of a locale."""
        if locale not in self.fakers:
            made = Faker(locale)
            made.seed_instance(f"{self.seed}{locale}")
            self.fakers[locale] = made
        return self.fakers[locale]


@dataclass(frozen=True)
class Values:
    """Values for one text: they come from one place, save now and then."""

    source: Source
    lang: str
    home: str
    structured: bool
    """The text is JSON, CSV or code: no line breaks and no quotes in a value."""

    @property
    def chance(self) -> random.Random:
        """The random stream of the run."""
        return self.source.chance

    def pick(self, entries: tuple[str, ...]) -> str:
        """One of the entries."""
        return self.chance.choice(entries)

    def locale(self) -> str:
        """The place of the text, or another one of its language."""
        return self.home if self.chance.random() < 0.75 else self.pick(LOCALES[self.lang])

    def country(self) -> str:
        """The country whose number formats apply."""
        return COUNTRY_OF[self.locale()]

    def faked(self, locale: str) -> Faker:
        """Faker of the locale; of the United States where it has no Latin letters in an English text."""
        latin = self.lang == "en" and locale in ROMANISED
        return self.source.faker("en_US" if latin else locale)

    # people

    def first(self, locale: str) -> str:
        """A given name."""
        if self.lang == "zh":
            return "".join(self.pick(tuple(GIVEN_ZH)) for _ in range(self.chance.choice((1, 2, 2, 2))))
        if self.lang == "en" and locale in ROMANISED:
            return self.pick(ROMANISED[locale][0])
        return str(self.source.faker(locale).first_name())

    def last(self, locale: str) -> str:
        """A family name."""
        if self.lang == "zh":
            return self.pick(COMPOUND_ZH if self.chance.random() < 0.04 else tuple(SURNAMES_ZH))
        if self.lang == "en" and locale in ROMANISED:
            return self.pick(ROMANISED[locale][1])
        if self.lang == "en" and locale.startswith("en_") and self.chance.random() < 0.2:
            return self.pick(FAMILIES)
        return str(self.source.faker(locale).last_name())

    def first_name(self) -> str:
        """A given name or a short form of one."""
        if self.lang == "en" and self.chance.random() < 0.2:
            return self.pick(NICKNAMES)
        return self.first(self.locale())

    def last_name(self) -> str:
        """A family name."""
        return self.last(self.locale())

    def pair(self, locale: str) -> tuple[str, str]:
        """A given and a family name of the same gender, where the language tells them apart."""
        if self.lang == "zh" or (self.lang == "en" and locale in ROMANISED):
            return self.first(locale), self.last(locale)
        faker, gender = self.source.faker(locale), self.chance.choice(("male", "female"))
        last = self.last(locale) if self.lang == "en" else getattr(faker, f"last_name_{gender}")()
        return str(getattr(faker, f"first_name_{gender}")()), str(last)

    def full(self, locale: str) -> str:
        """Given and family name in the order of the language."""
        first, last = self.pair(locale)
        if self.lang in ("zh", "ko"):
            return last + first
        if self.lang == "ja":
            return last + self.chance.choice(("", "", " ", "　")) + first
        if (
            self.lang == "en"
            and locale in ("zh_CN", "ko_KR", "hu_HU", "vi_VN")
            and self.chance.random() < 0.5
        ):
            return f"{last} {first}"
        return f"{first} {last}"

    def person(self) -> str:
        """A person as texts name them."""
        locale = self.locale()
        full = self.full(locale)
        if self.lang in ("zh", "ja", "ko") or self.chance.random() < 0.72:
            return full
        return self.unusual(*self.pair(locale))

    def unusual(self, first: str, last: str) -> str:
        """A name with initials, two family names, a nickname, an addition, or only part of it."""
        initial = self.pick(tuple(string.ascii_uppercase))
        shapes = [
            f"{first[0]}. {last}", f"{first[0]}. {initial}. {last}", f"{first[0]}.{initial}. {last}",
            f"{first} {initial}. {last}", f"{first} {last}-{self.last_name()}", f"{first} {last}", first,
        ]  # fmt: skip
        if self.lang == "en":
            shapes += [f"{self.pick(NICKNAMES)} {self.pick(FAMILIES)}", f"{first} {self.pick(FAMILIES)}"]
        if self.lang == "en" and not self.structured:
            suffix = self.pick(("Jr.", "Jr", "III", "Sr."))
            shapes += [
                f"{last}, {first}",
                f"{first} {last} {suffix}",
                f"{first} “{self.pick(NICKNAMES)}” {last}",
            ]
        return self.chance.choice(shapes)

    def with_middle(self) -> str:
        """A full name with a middle name or a second given name."""
        locale = self.locale()
        if self.lang in ("zh", "ja", "ko"):
            return self.full(locale)
        middle = self.first(locale) if self.chance.random() < 0.7 else f"{self.first(locale)[0]}."
        first, last = self.pair(locale)
        return f"{first} {middle} {last}"

    def title(self) -> str:
        """A form of address or an academic title."""
        return self.pick(TITLES if self.lang == "en" else WORDS[self.lang].titles)

    def group(self) -> str:
        """A nationality, a religion or a political group."""
        return self.pick(GROUPS if self.lang == "en" else WORDS[self.lang].groups)

    def age(self) -> str:
        """Years of age."""
        years = self.chance.choice(
            (self.chance.randint(18, 90), self.chance.randint(18, 70), self.chance.randint(1, 17))
        )
        hanzi = self.lang == "zh" and not self.structured and self.chance.random() < 0.35
        return chinese_number(years) if hanzi else str(years)

    # organisations and places

    def organization(self) -> str:
        """A firm, school, hospital, authority, club or other body."""
        if self.lang == "en" and self.chance.random() < 0.42:
            return self.pick(REAL_ORGANIZATIONS)
        shape = self.pick(SHAPES if self.lang == "en" else WORDS[self.lang].firms)
        while "{" in shape:
            slot = shape[shape.index("{") + 1 : shape.index("}")]
            shape = shape.replace("{" + slot + "}", self.part(slot), 1)
        return shape

    def part(self, slot: str) -> str:
        """What goes into the name of an organisation."""
        makers: dict[str, Callable[[], str]] = {
            "last": self.last_name,
            "first": lambda: self.first(self.locale()),
            "city": self.seat,
            "field": lambda: self.pick(FIELDS),
            "acronym": lambda: coded("A" * self.chance.choice((3, 3, 3, 4)), self.chance),
            "n": lambda: str(self.chance.randint(1, 120)),
            "brand": lambda: self.pick(BRANDS.get(self.lang, INVENTED)),
        }
        return makers[slot]()

    def seat(self) -> str:
        """A city as it stands in the name of an organisation."""
        city = self.pick(CITIES if self.lang == "en" else WORDS[self.lang].cities)
        return city.rstrip("市区") if self.lang in ("zh", "ja") else city

    def city(self) -> str:
        """A city, town or district."""
        if self.chance.random() < 0.25 and self.lang not in ("zh", "ja", "ko"):
            return str(self.faked(self.locale()).city())
        return self.pick(CITIES if self.lang == "en" else WORDS[self.lang].cities)

    def region(self) -> str:
        """A state, province, county or landscape."""
        return self.pick(REGIONS if self.lang == "en" else WORDS[self.lang].regions)

    def nation(self) -> str:
        """A country."""
        return self.pick(COUNTRIES if self.lang == "en" else WORDS[self.lang].countries)

    def chinese_street(self) -> str:
        """A road and a number, perhaps with the flat."""
        flat = f"{self.chance.randint(1, 30)}号楼{self.chance.randint(1, 6)}单元{self.chance.randint(101, 2808)}室"
        return f"{self.pick(ROADS_ZH)}{self.chance.randint(1, 999)}号{self.chance.choice(('', '', flat))}"

    def turkish_street(self) -> str:
        """A quarter, a street, a house number, perhaps the flat."""
        quarter = self.pick(
            listed("Atatürk; Cumhuriyet; Yeni; Fatih; Caferağa; Barbaros; Bahçelievler; Gazi")
        )
        way = self.pick(listed("Lale Sok.; İnönü Cad.; Gül Sokak; Bağdat Caddesi; 1453. Sokak; Çınar Sok."))
        flat = f" D:{self.chance.randint(1, 30)}"
        return f"{quarter} Mah. {way} No:{self.chance.randint(1, 180)}{self.chance.choice(('', flat))}"

    def street(self) -> str:
        """A street with its number, sometimes with the flat."""
        if self.lang == "zh":
            return self.chinese_street()
        if self.lang == "tr":
            return self.turkish_street()
        if self.lang == "ja":
            chome, ban, house = (self.chance.randint(1, most) for most in (9, 30, 20))
            return f"{self.source.faker('ja_JP').town()}{chome}{self.pick(('丁目', '-'))}{ban}-{house}"
        return self.on_one_line(str(self.faked(self.locale()).street_address()).strip())

    def address(self) -> str:
        """A postal address down to its city or country."""
        if self.lang == "zh":
            return self.pick(DISTRICTS_ZH) + self.chinese_street()
        if self.lang == "tr":
            return f"{self.turkish_street()}, {coded('#####', self.chance)} {self.pick(WORDS['tr'].cities)}"
        locale = self.locale()
        if self.lang == "en" and self.chance.random() < 0.3:
            return self.composed_address(locale)
        return self.on_one_line(str(self.faked(locale).address()).strip())

    def composed_address(self, locale: str) -> str:
        """A street with a real city, a postcode, perhaps a country."""
        street = str(self.faked(locale).street_address()).strip().replace("\n", ", ")
        city, code = self.pick(CITIES), self.zip_code()
        return self.chance.choice(
            (
                f"{street}, {city}",
                f"{street}, {city} {code}",
                f"{street}, {code} {city}",
                f"{street}, {city}, {self.pick(REGIONS)} {code}",
                f"{street}, {city}, {self.nation()}",
                f"{street}, {code} {city}, {self.nation()}",
            )
        )

    def on_one_line(self, text: str) -> str:
        """Lines joined by commas, mostly."""
        if self.lang == "ja":
            return text.replace("\n", "")
        return text if not self.structured and self.chance.random() < 0.2 else text.replace("\n", ", ")

    def zip_code(self) -> str:
        """A postcode."""
        return coded(self.pick(POSTCODES.get(self.country(), POSTCODES["US"])), self.chance)

    # time

    def day(self) -> dict[str, Any]:
        """All parts of a random moment, by the names the formats use."""
        when = date(1935, 1, 1) + timedelta(days=self.chance.randrange(34_000))
        if self.chance.random() < 0.6:
            when = date(2012, 1, 1) + timedelta(days=self.chance.randrange(5_500))
        months = MONTHS if self.lang == "en" else WORDS[self.lang].months
        days = DAYS if self.lang == "en" else WORDS[self.lang].days
        hour, twelve = self.chance.randrange(24), self.chance.randint(1, 12)
        return {
            "y": when.year, "s": when.year % 100, "m": when.month, "d": when.day, "th": ordinal(when.day),
            "month": months[when.month - 1], "mon": months[when.month - 1][:3], "e": max(1, when.year - 2018),
            "day": days[self.chance.randrange(len(days))], "h": hour, "mm": self.chance.randrange(60),
            "ss": self.chance.randrange(60), "t": twelve, "c": "两" if twelve == 2 else chinese_number(twelve),
        }  # fmt: skip

    def date(self) -> str:
        """A day of the calendar."""
        formats = DATES if self.lang == "en" else WORDS[self.lang].dates
        return self.pick(formats).format_map(self.day())

    def time(self) -> str:
        """A time of the day."""
        formats = TIMES if self.lang == "en" else WORDS[self.lang].times
        return self.pick(formats).format_map(self.day())

    def weekday(self) -> str:
        """A day of the week."""
        formats = WEEKDAYS if self.lang == "en" else ("{day}",)
        return self.pick(formats).format_map(self.day())

    def month_year(self) -> str:
        """A month of a year."""
        formats = ("{month} {y}", "{mon} {y}", "{m:02}/{y}", "{month} of {y}")
        return (self.pick(formats) if self.lang == "en" else WORDS[self.lang].month_year).format_map(
            self.day()
        )

    def year(self) -> str:
        """A year."""
        return ("{y}" if self.lang == "en" else WORDS[self.lang].year).format_map(self.day())

    def when(self) -> str:
        """A time as seen from now, or a period."""
        return self.pick(RELATIVE if self.lang == "en" else WORDS[self.lang].relative)

    # numbers and the net

    def phone(self) -> str:
        """A telephone number."""
        return coded(self.pick(PHONES.get(self.country(), PHONES["US"])), self.chance)

    def card(self) -> str:
        """A payment card number that passes the Luhn test."""
        start, length = self.chance.choice(CARDS)
        digits = start + coded("#" * (length - 1 - len(start)), self.chance)
        number = digits + luhn_digit(digits)
        separator = self.pick(("", " ", " ", "-"))
        if length == 15:
            return separator.join((number[:4], number[4:10], number[10:]))
        return grouped(number, 4, separator)

    def iban(self) -> str:
        """An IBAN with valid check digits."""
        country = self.country()
        country = country if country in IBANS else self.pick(tuple(IBANS))
        number = iban_checked(country, coded(IBANS[country], self.chance))
        return number if self.chance.random() < 0.5 else grouped(number, 4, " ")

    def ip(self) -> str:
        """An IP address of either version."""
        if self.chance.random() < 0.75:
            private = self.pick(("10.", "192.168.", "172.16.", "", "", ""))
            parts = [str(self.chance.randint(1, 254)) for _ in range(4 - private.count("."))]
            return private + ".".join(parts)
        blocks = [f"{self.chance.randrange(65536):x}" for _ in range(self.chance.choice((8, 4, 3)))]
        return ":".join(blocks) if len(blocks) == 8 else ":".join(blocks[:-1]) + "::" + blocks[-1]

    def host(self) -> str:
        """A host name below a top-level domain."""
        words = plain(self.pick(INVENTED)), plain(self.pick(CITIES)), plain(self.pick(FAMILIES))
        one, other = self.chance.choice(words), self.chance.choice(words)
        name = self.pick(
            (one, f"{one}-{other}", f"{one}{other}", f"my{one}", f"{one}{self.chance.randint(1, 99)}")
        )
        return f"{name}.{self.pick(ENDINGS)}"

    def domain(self) -> str:
        """A domain, bare or in a URL."""
        host = self.host()
        shapes = (host, host, host, f"www.{host}", f"https://{host}", f"https://www.{host}/", f"http://{host}/login",
                  f"mail.{host}", f"https://{host}/about", f"shop.{host}", f"api.{host}")  # fmt: skip
        return self.pick(shapes)

    def email(self) -> str:
        """A mail address."""
        locale = self.locale()
        first, last = plain(self.first(locale)), plain(self.last(locale))
        if not first or not last:
            names = self.pick(tuple(ROMANISED))
            first, last = plain(self.pick(ROMANISED[names][0])), plain(self.pick(ROMANISED[names][1]))
        number = self.chance.randint(1, 99)
        shapes = (f"{first}.{last}", f"{first[0]}{last}", f"{first}{number}", f"{first}_{last}{number}", last, first,
                  f"{first}.{last}+news", f"{last}.{first[0]}", f"{first}-{last}", "info", "office", "hr")  # fmt: skip
        return f"{self.pick(shapes)}@{self.pick((*MAILBOXES, *(self.host() for _ in range(12))))}"

    def ssn(self) -> str:
        """A US social security number."""
        area = self.chance.choice([number for number in range(1, 900) if number != 666])
        separator = self.pick(("-", "-", "-", " ", ""))
        return (
            f"{area:03}{separator}{self.chance.randint(1, 99):02}{separator}{self.chance.randint(1, 9999):04}"
        )

    def licence(self) -> str:
        """A driver's licence number as one of the states writes it."""
        number = coded(self.pick(tuple(LICENCES.values())), self.chance)
        return number if self.chance.random() < 0.7 else re.sub(r"[- ]", "", number)


SLOTS: dict[str, tuple[str, Callable[[Values], str]]] = {
    "PERSON": ("PERSON", Values.person),
    "FIRST_NAME": ("PERSON", Values.first_name),
    "LAST_NAME": ("PERSON", Values.last_name),
    "FULL_WITH_MIDDLE": ("PERSON", Values.with_middle),
    "ORGANIZATION": ("ORGANIZATION", Values.organization),
    "GPE_CITY": ("GPE", Values.city),
    "GPE_COUNTRY": ("GPE", Values.nation),
    "GPE_REGION": ("GPE", Values.region),
    "STREET_ADDRESS": ("STREET_ADDRESS", Values.street),
    "ADDRESS_FULL": ("STREET_ADDRESS", Values.address),
    "ZIP_CODE": ("ZIP_CODE", Values.zip_code),
    "PHONE_NUMBER": ("PHONE_NUMBER", Values.phone),
    "EMAIL_ADDRESS": ("EMAIL_ADDRESS", Values.email),
    "DATE": ("DATE_TIME", Values.date),
    "TIME": ("DATE_TIME", Values.time),
    "WEEKDAY": ("DATE_TIME", Values.weekday),
    "MONTH_YEAR": ("DATE_TIME", Values.month_year),
    "YEAR": ("DATE_TIME", Values.year),
    "WHEN": ("DATE_TIME", Values.when),
    "AGE": ("AGE", Values.age),
    "NRP": ("NRP", Values.group),
    "TITLE": ("TITLE", Values.title),
    "CREDIT_CARD": ("CREDIT_CARD", Values.card),
    "IBAN_CODE": ("IBAN_CODE", Values.iban),
    "IP_ADDRESS": ("IP_ADDRESS", Values.ip),
    "DOMAIN_NAME": ("DOMAIN_NAME", Values.domain),
    "US_SSN": ("US_SSN", Values.ssn),
    "US_DRIVER_LICENSE": ("US_DRIVER_LICENSE", Values.licence),
}
"""Slot name, its label, and what fills it."""

# ------------------------------------------------------------------------------------------- filling

Piece = tuple[str, str | None]
"""Some text, and its label unless it is ordinary."""


def pieces(template: str, values: Values) -> Iterator[Piece]:
    """The template's own words and the values of its slots, in order."""
    at = 0
    known: dict[str, str] = {}
    for found in PIECE.finditer(template):
        yield literal(template[at : found.start()], template), None
        at = found.end()
        slot, name, words, label = found.groups()
        if slot:
            kind, make = SLOTS[slot]
            value = known[slot + name] if name and slot + name in known else make(values)
            known[slot + (name or "")] = value
            yield value, kind
        elif words:
            if label not in LABELS:
                raise ValueError(f"no label {label}: {template}")
            yield words, label
        else:
            yield found[0][0], None
    yield literal(template[at:], template), None


def literal(text: str, template: str) -> str:
    """The text, unless a brace in it should have been doubled."""
    if "{" in text or "}" in text:
        raise ValueError(f"single brace: {template}")
    return text


def assembled(parts: list[Piece], case: Callable[[str], str]) -> tuple[str, list[Row]]:
    """The text in the given case and its labelled spans."""
    text, spans = "", []
    for words, label in parts:
        written = case(words)
        if label:
            spans.append({"start": len(text), "end": len(text) + len(written), "label": label})
        text += written
    return text, spans


def joined(text: str, spans: list[Row]) -> list[Row]:
    """The spans, with a street and the city, country or postcode right behind it as one address."""
    kept: list[Row] = []
    for span in spans:
        before = kept[-1] if kept else None
        part = span["label"] in ("GPE", "ZIP_CODE")
        if (
            before
            and part
            and before["label"] == "STREET_ADDRESS"
            and ADDRESS_GAP.fullmatch(text[before["end"] : span["start"]])
        ):
            kept[-1] = {**before, "end": span["end"]}
        else:
            kept.append(span)
    return kept


def same(text: str) -> str:
    """The text as it is."""
    return text


def casing(template: str, chance: random.Random, *, structured: bool) -> Callable[[str], str]:
    """How a text is written: small if its template is, else now and then all small or all capitals."""
    own = PIECE.sub("", template)
    roll = chance.random()
    if own == own.lower() and any(sign.isalpha() for sign in own):
        typed = not structured and own.isascii()
        return str.lower if typed and roll < 0.85 else same
    if roll < LOWERED:
        return str.lower
    return str.upper if roll > 1 - RAISED else same


def filled(template: str, lang: str, source: Source) -> Row:
    """One text with its spans."""
    structured = bool(re.search(r'\{\{|"|;\s*\{|\},\{|=|\t|\| |:\n +', template))
    values = Values(source, lang, source.chance.choice(LOCALES[lang]), structured)
    case = casing(template, source.chance, structured=structured)
    text, spans = assembled(list(pieces(template, values)), case)
    return {
        "text": text,
        "spans": joined(text, spans),
        "source": SOURCE,
        "split": "train",
        "lang": lang,
        "annotated": None,
    }


def rows(paths: list[Path], seed: int, each: int) -> Iterator[Row]:
    """``each`` different fillings of every carrier, one of those that have nothing to fill."""
    source = Source(seed)
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            carrier = json.loads(line)
            slots = any(found[1] for found in PIECE.finditer(carrier["text"]))
            for _ in range(each if slots else 1):
                yield filled(carrier["text"], carrier["lang"], source)
