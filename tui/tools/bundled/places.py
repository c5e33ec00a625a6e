"""Finds the time zone of a place by its name.

The IANA names have one city for each zone; the table adds large cities, countries of
one zone and common abbreviations. What means several zones, such as CST, is left out.
"""

import re
from functools import cache

_ALSO = """
America/New_York: boston, washington, washington dc, philadelphia, miami, atlanta,
  nyc, baltimore, pittsburgh, orlando, est, edt, et, eastern time, 纽约, 华盛顿
America/Chicago: houston, dallas, austin, san antonio, minneapolis, new orleans,
  st louis, nashville, central time, 芝加哥
America/Denver: salt lake city, albuquerque, mst, mdt, mountain time
America/Los_Angeles: san francisco, sf, seattle, san diego, las vegas, portland,
  san jose, sacramento, la, california, pst, pdt, pt, pacific time, 洛杉矶, 旧金山
America/Toronto: ottawa, montreal, quebec
America/Edmonton: calgary
America/Sao_Paulo: rio de janeiro, rio, brasilia, são paulo
America/Argentina/Buenos_Aires: argentina
America/Lima: peru
America/Bogota: colombia
America/Santiago: chile
Europe/London: uk, united kingdom, england, scotland, wales, britain, great britain,
  edinburgh, glasgow, manchester, liverpool, birmingham, cardiff, bst, 伦敦
Europe/Dublin: ireland
Europe/Paris: france, lyon, marseille, nice, toulouse, 巴黎
Europe/Berlin: germany, munich, münchen, hamburg, frankfurt, cologne, köln, stuttgart,
  düsseldorf, leipzig, cet, cest, 柏林
Europe/Madrid: spain, barcelona, valencia, seville
Europe/Rome: italy, milan, naples, turin, florence, venice, 罗马
Europe/Zurich: switzerland, geneva, bern, basel, zürich
Europe/Vienna: austria, salzburg
Europe/Amsterdam: netherlands, rotterdam, the hague
Europe/Brussels: belgium, antwerp
Europe/Stockholm: sweden, gothenburg
Europe/Oslo: norway, bergen
Europe/Copenhagen: denmark
Europe/Helsinki: finland
Europe/Warsaw: poland, krakow
Europe/Prague: czechia, czech republic
Europe/Budapest: hungary
Europe/Athens: greece
Europe/Kyiv: ukraine, kiev
Europe/Moscow: saint petersburg, st petersburg, 莫斯科
Europe/Istanbul: turkey, ankara
Africa/Cairo: egypt
Africa/Nairobi: kenya
Africa/Lagos: nigeria
Africa/Johannesburg: south africa, cape town
Asia/Dubai: abu dhabi, uae, 迪拜
Asia/Jerusalem: israel, tel aviv
Asia/Riyadh: saudi arabia
Asia/Tehran: iran
Asia/Karachi: pakistan, lahore, islamabad
Asia/Kolkata: india, mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad,
  calcutta, pune, 孟买, 新德里
Asia/Dhaka: bangladesh
Asia/Bangkok: thailand, 曼谷
Asia/Ho_Chi_Minh: vietnam, hanoi, saigon
Asia/Shanghai: china, beijing, peking, shenzhen, guangzhou, hangzhou, chengdu, wuhan,
  nanjing, tianjin, 中国, 北京, 上海, 深圳, 广州, 杭州, 成都
Asia/Hong_Kong: 香港
Asia/Taipei: taiwan, 台北
Asia/Singapore: 新加坡
Asia/Kuala_Lumpur: malaysia
Asia/Manila: philippines
Asia/Seoul: korea, south korea, busan, 首尔
Asia/Tokyo: japan, osaka, kyoto, yokohama, nagoya, sapporo, jst, 东京, 東京, 日本, 大阪
Australia/Sydney: canberra, 悉尼
Pacific/Auckland: new zealand, wellington
UTC: gmt, utc, z, zulu, greenwich
"""


@cache
def _also() -> dict[str, str]:
    found: dict[str, str] = {}
    entries = re.findall(r"^(\S+): (.+?)(?=^\S|\Z)", _ALSO, re.M | re.S)
    for zone, names in entries:
        found.update((" ".join(name.split()), zone) for name in names.split(","))
    return found


@cache
def _cities() -> dict[str, str]:
    """Return the zones by the last part of their names, in small letters."""
    from zoneinfo import available_timezones

    found: dict[str, str] = {}
    for zone in sorted(available_timezones()):
        if "/" in zone and not zone.startswith(
            ("Etc/", "posix/", "right/", "SystemV/")
        ):
            found.setdefault(zone.rpartition("/")[2].replace("_", " ").lower(), zone)
    return found


def zone_of(place: str) -> str:
    """Return the IANA name of the zone of a place or of a zone, "" if it is unknown."""
    from zoneinfo import available_timezones

    text = " ".join(place.replace("_", " ").split()).strip(" .,?!").lower()
    by_name = {zone.replace("_", " ").lower(): zone for zone in available_timezones()}
    for name in (text, text.partition(",")[0].strip(), text.removesuffix(" city")):
        name = name.removesuffix(" time").removesuffix("时间").removesuffix("市")
        for table in (_also(), _cities(), by_name):
            if name in table:
                return table[name]
    return ""
