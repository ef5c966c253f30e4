"""The words the make-believe co-op is made of: names, streets, towns and trades."""

from __future__ import annotations

from typing import Final

SURNAMES: Final = """
Anderson Johnson Olson Peterson Larson Nelson Hansen Carlson Swanson Erickson Gustafson Lindqvist
Halvorsen Thorson Sorensen Rasmussen Mikkelsen Bergstrom Dahl Haugen Moen Solberg Tveit Aasen
Schmidt Mueller Schneider Fischer Weber Becker Hoffmann Krause Vogel Zimmermann Baumgartner
Kessler Brandt Lindner Schroeder Kuehn Boehm Ziegler Novak Kowalski Wisniewski Nowicki Zielinski
Pawlak Dvorak Svoboda Prochazka Horvath Kovacs Szabo Popescu Ivanov Petrov Marino Ricci Esposito
Romano Ferraro Conti Gallo Rinaldi Garcia Martinez Rodriguez Hernandez Lopez Gonzalez Perez
Sanchez Ramirez Torres Flores Rivera Gomez Diaz Reyes Morales Ortiz Gutierrez Chavez Ramos Ruiz
Alvarez Mendoza Castillo Vargas Romero Herrera Medina Aguilar Vega Nguyen Tran Pham Hoang Vu Vang
Xiong Yang Lor Thao Moua Chen Wang Zhang Liu Huang Wu Zhou Kim Park Choi Jung Kang Yoon Patel Shah
Singh Gupta Sharma Reddy Khan Ahmed Hassan Ali Omar Farah Warsame Abdi Mohamed Okafor Adeyemi
Mensah Boateng Smith Williams Brown Jones Davis Miller Wilson Moore Taylor Thomas Jackson White
Harris Martin Thompson Robinson Clark Lewis Lee Walker Hall Allen Young King Wright Scott Green
Baker Adams Hill Campbell Mitchell Roberts Carter Phillips Evans Turner Parker Collins Edwards
Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Richardson Cox Howard Ward Brooks
Gray James Watson Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry
Powell Long Patterson Hughes Washington Butler Simmons Foster Bryant Alexander Russell Griffin
Hayes Myers Ford Hamilton Graham Sullivan Wallace Woods Cole West Jordan Owens Reynolds Fisher
Ellis Harrison Gibson Cruz Marshall Wells Webb Tucker Hicks Crawford Henry Boyd Mason Kennedy
Warren Dixon Burns Gordon Shaw Holmes Rice Robertson Hunt Black Daniels Palmer Mills Nichols Grant
Knight Stone Hawkins Dunn Perkins Hudson Spencer Gardner Stephens Payne Pierce Berry Matthews
Arnold Wagner Willis Ray Watkins Carroll Duncan Snyder Hart Cunningham Bradley Lane Andrews Harper
Fox Riley Armstrong Carpenter Weaver Greene Lawrence Elliott Sims Austin Peters Kelley Franklin
Lawson Fields Ryan Carr Wheeler Chapman Oliver Montgomery Richards Williamson Banks Meyer Bishop
Fowler Hansen Day Fuller Barrett Hammond
""".split()

PRONE: Final = (
    "DeLong", "De Long", "O'Brien", "OBrien", "O Brien", "McCarthy", "Mc Carthy", "MacDonald",
    "McDonald", "St. Clair", "St Clair", "Saint Clair", "Van Der Berg", "VanDerBerg", "Vander Berg",
    "De La Cruz", "DelaCruz", "De la Cruz", "O'Connor", "O Connor", "OConnor", "La Fave", "LaFave",
    "Le Blanc", "LeBlanc", "Du Bois", "DuBois", "Mc Kenna", "McKenna", "Di Marco", "DiMarco",
    "Von Hagen", "Vonhagen", "Núñez", "Nunez", "Muñoz", "Munoz", "Peña", "Pena", "García", "Léger",
    "Müller", "Sjöberg", "Ødegaard", "Łukasik", "Nguyễn", "Smith-Jones", "Larson-Webb",
    "Garcia Lopez", "Ortiz-Reyes", "Mac Arthur", "MacArthur", "Fitz Gerald", "Fitzgerald",
    "St. John", "St John", "D'Angelo", "DAngelo", "De Witt", "DeWitt", "Ten Eyck", "TenEyck",
)  # fmt: skip
"""Surnames that offices write in more than one way."""

# Two halves make the many rare surnames that a real register is mostly made of.
FRONTS: Final = """
Ack Ald Alm Ames Arn Ash Bar Beck Bel Ben Berg Black Blom Bock Bran Brink Brod Buck Burk Cald Car
Chad Clay Cors Cran Crom Dal Dan Den Dorn Dray Drum Dun East Eber Ed Eick Ell Em Eng Fair Fal Farn
Fel Fen Fink Flan Fred Gar Gil Glen Gold Grab Grim Gros Had Hag Hal Ham Har Haz Heck Hel Her Hock
Hol Horn Hul Isen Ives Jar Jens Kal Kar Kel Kern Kil Kirk Klein Knut Kop Kren Lam Lang Lar Leck
Lind Loch Lom Lund Mal Mar Mel Mer Mil Mon Mor Nor Nord Oak Oel Ost Pal Par Pel Pen Pick Pol Prit
Quin Rad Ram Ren Rich Ros Roth Rud Sad Sal Sand Schel Sel Shel Sil Sin Skog Sten Stol Strand Sund
Swen Tal Tan Tem Thor Til Tor Trem Tur Ul Van Ver Vin Wad Wal War Weis Wen Wes Wil Win Wis Wol Yar
Zel
""".split()
BACKS: Final = """
aker bach baugh beck berg berry bert bohm bourne brook burg bury by chek cott croft dahl dale den
der dorf dorn drick ell enz er ert feld fell field ford gaard gan gard gate ger gren ham hard haus
heim hoff holm holt horn house hurst inger ings itz ker kin kirk kowski land ler ley lin lock low
lund man mark maker meier mer mond more mund nack ner ness ney nick nor now off olm on ovic pole
quist rell rich rick rud sby schek sen shaw sky son stad stein stead ster stone strom ten ter thal
ton vall ville vold wall ward wick wig win wood worth
""".split()

GIVEN_NAMES: Final = """
James John Robert Michael William David Richard Joseph Thomas Charles Daniel Matthew Anthony Mark
Donald Steven Paul Andrew Kenneth Joshua Kevin Brian George Edward Ronald Timothy Jason Jeffrey
Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory
Frank Raymond Patrick Jack Dennis Jerry Tyler Aaron Jose Adam Nathan Henry Douglas Zachary Peter
Kyle Walter Ethan Jeremy Harold Keith Christian Roger Noah Gerald Carl Terry Sean Austin Arthur
Lawrence Jesse Dylan Bryan Joe Jordan Billy Bruce Albert Willie Gabriel Logan Alan Juan Wayne Roy
Ralph Randy Eugene Vincent Russell Elijah Louis Bobby Philip Johnny Leif Anders Nils Einar Sven
Lars Otto Emil Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy
Betty Margaret Sandra Ashley Kimberly Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah
Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma Nicole
Helen Samantha Katherine Christine Debra Rachel Carolyn Janet Catherine Maria Heather Diane Ruth
Julie Olivia Joyce Virginia Victoria Kelly Lauren Christina Joan Evelyn Judith Megan Andrea Cheryl
Hannah Jacqueline Martha Gloria Teresa Ann Sara Madison Frances Kathryn Janice Jean Abigail Alice
Julia Judy Sophia Grace Denise Amber Doris Marilyn Danielle Beverly Isabella Theresa Diana Natalie
Brittany Charlotte Marie Kayla Alexis Lori Ingrid Astrid Solveig June Opal Hazel Pearl Iris Ivy
Rose Violet Maxine Renée José Siobhán Zoë Chloé Mai Kao Pa Chee Fadumo Amina Hodan Priya Anjali
Wei Mei Min Soo Linh
""".split()

STREETS: Final = """
Oak Pine Maple Cedar Elm Birch Willow Spruce Walnut Aspen Hickory Chestnut Lake River Creek Mill
Church School Prairie Meadow Ridge Valley Hill Spring Sunset Sunrise Eagle Deer Fox Bear Heron
Loon Sandhill Badger Pheasant Quail Orchard Harvest Granary Silo Windmill Homestead Pioneer
Settler Railroad Depot Station Quarry Stone Granite Limestone Copper Iron Silver Rock Sand Cliff
Bluff Ferry Bridge Landing Harbor Shore Bay Point Island Marsh Cranberry Clover Barley Rye Wheat
Corn Potato Hansen Olson Lindstrom Becker Kessler Novak Garfield Lincoln Washington Jefferson
Madison Monroe Jackson Grant Hayes Cleveland Roosevelt Main Market Front Water Center Park Forest
Grove Timber
""".split()
WAYS: Final = ("St", "Ave", "Rd", "Ln", "Dr", "Ct", "Trl", "Cir", "Pl", "Hwy")
TOWNS: Final = (
    ("Alder Falls", "54901"), ("Birch Hollow", "54902"), ("Clearbrook", "54903"),
    ("Dunmore", "54904"), ("Elk Crossing", "54905"), ("Fairhaven", "54906"),
    ("Granite Bluff", "54907"), ("Heron Lake", "54908"), ("Ironwood Bend", "54909"),
    ("Juniper", "54910"), ("Kettle Prairie", "54911"), ("Lindale", "54912"),
    ("Marsh Landing", "54913"), ("Nordby", "54914"), ("Otter Creek", "54915"),
    ("Pine Barrens", "54916"), ("Quarry Hill", "54917"), ("Riverton", "54918"),
    ("Stonefield", "54919"), ("Turtle Point", "54920"),
)  # fmt: skip
STATE: Final = "WI"

BUSINESS_FIRSTS: Final = """
Prairie Northern Lakeside Riverbend Badger Granite Twin Golden Blue Red Silver Pioneer Heartland
Valley Evergreen Sunrise Crystal Eagle Timber County Midland Central Four Hometown Country Family
Quality Reliable Premier Superior Advanced Custom Classic Summit Harvest Homestead Clover Meadow
""".split()
BUSINESS_SECONDS: Final = """
Rose Star Creek Lake Ridge Rock River Oak Pine Field View Wind Sky Gate Line Point Crossing Hill
Grove Spring Harbor Acres Bend Meadow Cedar Stone Way Path Iron Copper
""".split()
TRADES: Final = (
    "Farms", "Dairy", "Plumbing", "Electric", "Construction", "Trucking", "Excavating", "Roofing",
    "Auto Repair", "Body Shop", "Welding", "Machine Works", "Feed Mill", "Seed Company", "Lumber",
    "Hardware", "Market", "Bakery", "Cafe", "Supper Club", "Bar and Grill", "Bar & Grill", "Resort",
    "Campground", "Lutheran Church", "Township", "Volunteer Fire Department", "Veterinary Clinic",
    "Dental Care", "Insurance Agency", "Realty", "Rentals", "Storage", "Landscaping", "Nursery",
    "Sawmill", "Cranberries", "Holsteins", "Orchards", "Apiary", "Brewing", "Printing Company",
    "Heating and Cooling", "Heating & Cooling", "Concrete", "Gravel", "Brothers", "Bros", "& Sons",
)  # fmt: skip
LEGAL_FORMS: Final = ("LLC", "Inc", "Inc.", "Co", "Co.", "Corp", "", "", "", "")
MAIL_DOMAINS: Final = (
    "example.com", "example.org", "example.net", "mail.example", "lakenet.example",
    "prairie.example", "northnet.example",
)  # fmt: skip
AREA_CODES: Final = ("292", "395", "697", "796")
"""Codes with a nine in the middle belong to nobody: the numbering plan keeps them in reserve."""
