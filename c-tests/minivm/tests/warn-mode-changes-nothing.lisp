; minivm --mode=warn
; Warnings tell what enforcing would do; nothing is shared, and main may write on.
(defconst TABLE {:a 1})
(assert-error 'isolation-error (take (ractor (hash-ref TABLE :a))))
(hash-set! TABLE :b 2)
(assert-equal 2 (hash-count TABLE))
(assert (not (frozen? TABLE)))
