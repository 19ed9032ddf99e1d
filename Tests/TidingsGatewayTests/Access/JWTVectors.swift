// Made by scripts/jwt-vectors.py with joserfc; the keys are used nowhere else.

enum JWTVectors {
    /// When the tokens are good, in seconds since 1970.
    static let now: Int64 = 1800000000
    static let keys =
        #"{"keys": [{"k": "e1pSV08A-a2GehrAslFtOdEajZJ3SH8vw1LhC1GZO-8", "kid": "hs", "use": "sig", "alg": "HS256", "kty": "oct"}, {"crv": "P-256", "x": "IBNErm8s6RzgVZps75SZCYxBAP6Q-fCF4bD4dPZe1fk", "y": "UE33XF26NrYI4CwqpfvbaCgVkuT8oVkoxtugbrkmc6U", "kid": "es", "use": "sig", "alg": "ES256", "kty": "EC"}, {"n": "2tRBhh01Ot1ySDbGuN3wwXTXzVSGnRcBiLZnXckD8bYAar3kmXcijfHdnFM87sfqWL--QuxujybNJffz824eE3TTvwHgmH_Tn7dM9290dgrsqUB_dPaL8ydY5t5yUZQkg6zI8oewZoHmD_ICbT8leK3Tp0QLRZP_vdEFy5iiEWrySSrk7MxtywT6m8XpkFW6eBY_7wxTO374tYgDsnK5bdLeMiTyWJqaX9l_QLssr_EuWqqONmxl5pLuyrknaEsKa0FSELANqS0akmvbF9eVNA1O-1ZUmBwURRuUMrqNkXpO5uWXcaEwrce7Q_25y8pXljxSQwSoW3NH9ywDOxm6Tw", "e": "AQAB", "kid": "rs", "use": "sig", "kty": "RSA"}, {"crv": "Ed25519", "x": "WVJqh0MXAzLYhGxN92A3YJLHKYDrdaWWVgs9Y-H1Fts", "kid": "ed", "use": "sig", "alg": "EdDSA", "kty": "OKP"}]}"#
    static let key: [String: String] = [
        "HS256":
            #"{"k": "e1pSV08A-a2GehrAslFtOdEajZJ3SH8vw1LhC1GZO-8", "kid": "hs", "use": "sig", "alg": "HS256", "kty": "oct"}"#,
        "ES256":
            #"{"crv": "P-256", "x": "IBNErm8s6RzgVZps75SZCYxBAP6Q-fCF4bD4dPZe1fk", "y": "UE33XF26NrYI4CwqpfvbaCgVkuT8oVkoxtugbrkmc6U", "kid": "es", "use": "sig", "alg": "ES256", "kty": "EC"}"#,
        "RS256":
            #"{"n": "2tRBhh01Ot1ySDbGuN3wwXTXzVSGnRcBiLZnXckD8bYAar3kmXcijfHdnFM87sfqWL--QuxujybNJffz824eE3TTvwHgmH_Tn7dM9290dgrsqUB_dPaL8ydY5t5yUZQkg6zI8oewZoHmD_ICbT8leK3Tp0QLRZP_vdEFy5iiEWrySSrk7MxtywT6m8XpkFW6eBY_7wxTO374tYgDsnK5bdLeMiTyWJqaX9l_QLssr_EuWqqONmxl5pLuyrknaEsKa0FSELANqS0akmvbF9eVNA1O-1ZUmBwURRuUMrqNkXpO5uWXcaEwrce7Q_25y8pXljxSQwSoW3NH9ywDOxm6Tw", "e": "AQAB", "kid": "rs", "use": "sig", "kty": "RSA"}"#,
        "EdDSA":
            #"{"crv": "Ed25519", "x": "WVJqh0MXAzLYhGxN92A3YJLHKYDrdaWWVgs9Y-H1Fts", "kid": "ed", "use": "sig", "alg": "EdDSA", "kty": "OKP"}"#,
    ]
    static let tokens: [String: String] = [
        "HS256 good":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImhzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.ka2ulN5kSjJqP9rCdsFnheM3ph3WIKXvLGGu6BeJJMo",
        "HS256 expired":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImhzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxNzk5OTk5OTk5fQ.kJR7A4eWUkw7Uopazt3rnqLPkFVyzZ7AzBpm-c4jrG8",
        "HS256 early":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImhzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTgwMDAwMDA2MCwiZXhwIjoxODAwMDAzNjAwfQ.uOSsfiqRy9HhPFPx-oMRqJ4LEljoFWhDAvodXE_TO0Y",
        "HS256 other audience":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImhzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJvdGhlcnMiLCJzY29wZSI6InJlYWQgcHVibGlzaCIsImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDM2MDB9.ZNbcOJs8m2HCvB-u0jFduUbHbWhj46z4bbWWP-2HVeo",
        "HS256 no kid":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.iRgkZIHiftmfr2W1sQle3iBkflvb6WufV9F2NfPg9Oc",
        "HS256 changed":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImhzIn0.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCBhZG1pbiIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.ka2ulN5kSjJqP9rCdsFnheM3ph3WIKXvLGGu6BeJJMo",
        "ES256 good":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.OLYGyYxuMsZ-j4gSLq5uH-wXX5QOCMgjgm1Iu_xWuJuJdngW4TfiPM8CHpHl71ui5dWWBZqvIv21IFiQIKijBw",
        "ES256 expired":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxNzk5OTk5OTk5fQ.XPoz1bmIvdjbrLQf3IAQDx9UA_gEKGda62XkpVGPj0NNWeQdvknfqrkxzcFewC6D90kEL27yjnYJfHGZdHVqNA",
        "ES256 early":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTgwMDAwMDA2MCwiZXhwIjoxODAwMDAzNjAwfQ.fXXeIproSCctk2AbrAc9ILHsvBSqdyPHYT1duItBVmZs9O8Swb3gxDhk2_WpDqbhr9cQAPxVrlWJ3ZeykIUQ9w",
        "ES256 other audience":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJvdGhlcnMiLCJzY29wZSI6InJlYWQgcHVibGlzaCIsImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDM2MDB9.WfUOsE69Ls9K1bFUS1wO7p415bjc9zS_7Hu-g1UWHHd3dktPDZRFecbxsC572VPRh9V67dHZoDBmlCxWDCfz0g",
        "ES256 no kid":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.qAzvLvCy9iKWbeUd6UQQ80fc4YSSSNnzmw5a-XpeHVEoZ9SiOwAmXTqNwiQnQYqz4tM10vs-5yt1K8Ld9rPoSw",
        "ES256 changed":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCBhZG1pbiIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.RvHoCvIbv2HPNHCp6Rkvq_RaPnjR823Gohg7TA6Hb8ZJwYPTlW9MF-SwLf2gkwI8IkmQeSqPSg6krmYpGnscqg",
        "RS256 good":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.Ut6dZY84-23W09fdMA5accxiEto6ZUnP9a6jtkcB3IjFupCZlhDd3EMzcuoyhHHAsl5Fz5YScNCWOhvg7VEW4ljdxPV2GDnb8SE9dBrhnuYS22eri7hb9sX8ZthVmJIL-mraogboVBIckIOaEvYf3afRXbHxq1ueyvTwYO7KESR9L42DsGi8OzUl5PCbm-efDznfT84JZeWsEnf2sVSwva-GL0q8Df-zsFfd_buwP9o1-F8CKofCQ6fqTFzWAJujztDv-G00qKk5ws0vaahQpzRxVmFaVnE-iMquwZMCYcDBIop8jT7PsFoIprJzsdo84fvtkTKlk2eQ1DE-XDpmMA",
        "RS256 expired":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxNzk5OTk5OTk5fQ.rgArASfooOpjEhjNqgSv3GT8vDFBC-veR4fbsFwptUgt7pjcTMbixnOeDX3NPSbvYW3tw4OreEHTWMfyofMQ27gYulSURF1_xyOVQvhUY8HLeyCki0Lb63ddjc5e-Wkrm6ixlNZyWzNuFcMEdNasTXWU_G1e6rFbkzv7M0mR8givPqWN7UGPqelgyj9yW7iYakQREq6unfrLv2nIE62_dIGNIpP3DBhlmQRwnBt9izt4LbFWhRxxKBoR-BAPkNDP1siaYHao8vb1z0XuKioTyfKkEvKaGa0Vij2CW4HbvD9--beNzWVSTL3zxpuPN8sAQA80FsqioOLASSA5fDIx8g",
        "RS256 early":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTgwMDAwMDA2MCwiZXhwIjoxODAwMDAzNjAwfQ.hzqQSTXAMYW8IrvgNTaqgwGeoiJighOzFPocuNUNUqWUAbs1mE2v3lEaaUbw-DUHlbC2egbjH3iF07XRX_Wgka5IHf0UllCXFCCEysD4Eh9JdcQoACJRwX1s5mPTsUVKyI6MDTNFoacY5ZzGkge7IUwC-Y17ncddOKeIiwG8eD6AebpX05qck8--vjHNMfRpBWoO81SrXxRCamzsvARopDMRbozDsw1K5Utx0wpmKI-YPktcrUJEcjPspqWcngHCD7_5Eu9fvDrNGr3yrDMmOOBJm6nTQLOXdOa0GFL2CsSgSFwi69-Tuhty4Hl9zAQX4Dp_AvIuwBhaWprMYUu1Iw",
        "RS256 other audience":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJvdGhlcnMiLCJzY29wZSI6InJlYWQgcHVibGlzaCIsImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDM2MDB9.w0mo72GfZs9o833B-BL-9vh_aiiGnyMaJRfnfRCB1BrrbZzfq97nZlKrNT1po6SnPE9RUyQT3d73KkwTpnn7bEGGItBehGp9TPT2oOsXQ--wvLDdNvMRI_s2_lE-yLThLi_xs39XG__dTDQDZm8Wefd0OwlQq7zl2Mn19g8Qg4Ad0-0HFtkJd3lJofwo9lQJYhzgPZMAa7gwX81GenwsmWy_QlGqr9pt8LYyqln63ydJSPdStOgIpUtMWBw44je9ReAK3OX-4Z3H9OCB_PgJu7In9mEaonqit59tt1Hou0_-jKqoOvuuPd7lZq9XGh9CeF2Wz4rEKkbrz7FLXISw9A",
        "RS256 no kid":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.TEmJ3bJZ4x6O9sgG4W5t_HKv2m_dJxWKtx2vvB4_urddBsV6k6dN299tRvgqV9GED9FZuutSfghfiuNSAelBLDfb3v70t3KkIXTDLq5b8STiGfqJyacyaIJIax0d-jTG469YzQBFXIkERxOdvJ98FisGPfxz7_yB5ot0NeznH1j7Ys5uW7-VJ1LrZAZbZmpoDifMUiXn3SZSg5oULIS_-yMV9JMG4KX0rak2eNiCvivxuZO81nPybTLuxhcB9fapx9qmHpvQPskHXOVKNagjWI9UQprj9iQ7ZPy2XV74aHH3Z8JpZJrqFClmYZ2Fzty3l8L498qd13TEqXPsvqdNPw",
        "RS256 changed":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCBhZG1pbiIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.Ut6dZY84-23W09fdMA5accxiEto6ZUnP9a6jtkcB3IjFupCZlhDd3EMzcuoyhHHAsl5Fz5YScNCWOhvg7VEW4ljdxPV2GDnb8SE9dBrhnuYS22eri7hb9sX8ZthVmJIL-mraogboVBIckIOaEvYf3afRXbHxq1ueyvTwYO7KESR9L42DsGi8OzUl5PCbm-efDznfT84JZeWsEnf2sVSwva-GL0q8Df-zsFfd_buwP9o1-F8CKofCQ6fqTFzWAJujztDv-G00qKk5ws0vaahQpzRxVmFaVnE-iMquwZMCYcDBIop8jT7PsFoIprJzsdo84fvtkTKlk2eQ1DE-XDpmMA",
        "EdDSA good":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.QtWjY1HpSZO8VbM9Up2hW2VCYKQ3HOBeVMdBx3KjdYtMGMVW-wT8CjYxASiiBYqiZCEdP6Ov3EmGNsXkFb62AQ",
        "EdDSA expired":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxNzk5OTk5OTk5fQ.UA2GJXf2ZtSjDLgV_Gfn4hWolvu0VVj4aROBWBuAsWh0xXqw1KU8gD7RU9-fldhIKTUEjctaY_4-4Vq14Aj-Aw",
        "EdDSA early":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTgwMDAwMDA2MCwiZXhwIjoxODAwMDAzNjAwfQ.mIAxWd1X4cJLbqqcWyVbzlmJxARFpm5loiFf2-0VU_pJyvc-312tzruihzHLXC2BRw45ML3TzDDdKlMWW8UyCg",
        "EdDSA other audience":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJvdGhlcnMiLCJzY29wZSI6InJlYWQgcHVibGlzaCIsImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDM2MDB9.vJGr3xTNRkrrSb48Bc_4cxOOYQfcrdOtXLyW_QEQB3rpqPcx2UpYA5tieaeAUJHEqXfWJr8Tmbe5xboeBqGPBg",
        "EdDSA no kid":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.0OVQw8Fgchvnza26ZPP8OhMGD4xU7FYjuSwGhuO9bY2tBiEYgxqCT6IeCVk6H3zhWveCJfmOfg21Uj2FGdZZAg",
        "EdDSA changed":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCBhZG1pbiIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.QtWjY1HpSZO8VbM9Up2hW2VCYKQ3HOBeVMdBx3KjdYtMGMVW-wT8CjYxASiiBYqiZCEdP6Ov3EmGNsXkFb62AQ",
        "restricted":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOlsib3RoZXJzIiwidGlkaW5ncyJdLCJzY29wZSI6WyJyZWFkIiwib3BlbmlkIl0sImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDM2MDAsInR5cGVzIjpbInRyYWRlIiwibG9naW4uKiJdLCJzeW1ib2xzIjpbImJ0Yy11c2QiXX0.E3EO2ZWaHIeoZ_pRJ-W8bBj4aKbROKVfJWpMj-996cDRnUZFGHvnmAAYkHJXnV0Vij1EYoJBm03cIrzIPX8jKg",
        "wrong key":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.xq6hU0YpKcZwNEkMZgmf-z74pqy_EMcUpZw2y2f0e9kAZTh69-E-SG5AhHYAJoLufY6uy9xOIL5A_VHkLUSsIA",
        "unknown kid":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6Inp6In0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.9L_b3JS1GMyKXr6x4sQpDZsUm8V4CuuoSGKD9592iMnbN950sRDAsmPWPtLKgvJJ8z8DQMUZJuEc4teCm30N7w",
        "algorithm of another key":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.cvt6eyigtcFysQf4WzgbiEwvjtBfg3qbr9ArutxfAa0",
        "RS256 public key as secret":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.oO8SA9OnPVx4YB48ZDRbLqKyNgIidkZb4-66ZPtgbsg",
        "ES256 public key as secret":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.Z7CajQNULT42QUCdCcBbu9qpBRveEMO_05tCCcbaYdo",
        "none":
            "eyJhbGciOiAibm9uZSJ9.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.",
        "none with kid":
            "eyJhbGciOiAibm9uZSIsICJraWQiOiAiZXMifQ.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.",
        "none, capitals":
            "eyJhbGciOiAiTm9OZSIsICJraWQiOiAiZXMifQ.eyJzdWIiOiAiY29sbGVjdG9yIiwgImF1ZCI6ICJ0aWRpbmdzIiwgInNjb3BlIjogInJlYWQgcHVibGlzaCIsICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDM2MDB9.",
        "no signature":
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImVzIn0.eyJzdWIiOiJjb2xsZWN0b3IiLCJhdWQiOiJ0aWRpbmdzIiwic2NvcGUiOiJyZWFkIHB1Ymxpc2giLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAzNjAwfQ.",
    ]
}
