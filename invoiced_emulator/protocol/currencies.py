"""ISO 4217 currencies and their decimals."""

from collections.abc import Mapping

_NONE = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf"
_THREE = "bhd iqd jod kwd lyd omr tnd"
_TWO = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd "
    "cad cdf chf cny cop crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd "
    "gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad "
    "mdl mga mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php "
    "pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs "
    "tmt top try ttd twd tzs uah usd uyu uzs ves wst xcd yer zar zmw"
)

_BY_DECIMALS: Mapping[int, str] = {0: _NONE, 2: _TWO, 3: _THREE}
CURRENCIES: Mapping[str, int] = {
    code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()
}
"""The number of decimals of every currency, by lower-case code."""
