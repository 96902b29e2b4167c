"""Domains that say nothing of an employer: providers of private mailboxes, and sites that host pages of others."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> list[str]:
    return text.split()


FREE_MAIL: Final = frozenset(
    _words("""
    126.com 139.com 163.com 189.cn 21cn.com abv.bg aim.com aliceadsl.fr alice.it aol.com aol.co.uk aol.de aol.fr arcor.de
    att.net bell.net bellsouth.net bigpond.com bigpond.net.au bluewin.ch bol.com.br bt.com btinternet.com btopenworld.com
    charter.net chello.at chello.nl club-internet.fr comcast.net cox.net centrum.cz daum.net earthlink.net email.com
    email.cz email.de email.it eircom.net fastmail.com fastmail.fm free.fr freemail.hu freenet.de frontier.com
    gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net googlemail.com hanmail.net hetnet.nl home.nl hotmail.be hotmail.ca
    hotmail.ch hotmail.co.jp hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.com hotmail.com.ar hotmail.com.au
    hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.gr hotmail.it hotmail.nl hotmail.no hotmail.se hushmail.com
    icloud.com ig.com.br iinet.net.au inbox.com inbox.lv inbox.ru inwind.it interia.pl juno.com kpnmail.nl laposte.net
    libero.it list.ru live.at live.be live.ca live.ch live.cl live.cn live.co.uk live.co.za live.com live.com.ar
    live.com.au live.com.mx live.com.pt live.de live.dk live.fi live.fr live.ie live.in live.it live.jp live.nl live.no
    live.ru live.se mac.com mail.bg mail.com mail.de mail.ee mail.ru mailbox.org me.com mindspring.com msn.com naver.com
    nate.com netscape.net neuf.fr ntlworld.com o2.co.uk o2.pl online.de online.no onet.pl onet.eu optonline.net
    optusnet.com.au orange.fr outlook.at outlook.be outlook.cl outlook.co.id outlook.com outlook.com.ar outlook.com.au
    outlook.com.br outlook.cz outlook.de outlook.dk outlook.es outlook.fr outlook.ie outlook.in outlook.it outlook.jp
    outlook.kr outlook.pt outlook.sa outlook.sg planet.nl pm.me pobox.com posteo.de prodigy.net proton.me protonmail.ch
    protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr
    shaw.ca sina.cn sina.com sky.com skynet.be sohu.com sunrise.ch sympatico.ca t-online.de t-online.hu talktalk.net
    telefonica.net telenet.be telia.com telus.net terra.com.br terra.es tin.it tiscali.co.uk tiscali.it tlen.pl tutanota.com
    tuta.io ukr.net uol.com.br usa.net verizon.net videotron.ca virgilio.it virgin.net virginmedia.com vodafone.it
    wanadoo.fr web.de windowslive.com windstream.net wp.pl xs4all.nl xtra.co.nz ya.ru yahoo.at yahoo.be yahoo.ca
    yahoo.cl yahoo.cn yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za
    yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.cn yahoo.com.co yahoo.com.hk yahoo.com.mx yahoo.com.my
    yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr
    yahoo.gr yahoo.hk yahoo.ie yahoo.in yahoo.it yahoo.nl yahoo.no yahoo.pl yahoo.ro yahoo.se yandex.com yandex.ru yeah.net
    ymail.com zonnet.nl zoho.com zohomail.com
    """)
)
"""Providers of mailboxes that anybody can have."""

SHARED_SITES: Final = frozenset(
    _words("""
    bit.ly blogspot.com etsy.com facebook.com fb.com github.io google.com instagram.com linkedin.com linktr.ee medium.com
    myshopify.com pinterest.com plus.google.com sites.google.com tiktok.com tumblr.com twitter.com weebly.com wikipedia.org
    wix.com wixsite.com wordpress.com x.com xing.com yelp.com youtube.com
    """)
)
"""Sites on which companies have a page: in a Website field they name the host, not the company."""
