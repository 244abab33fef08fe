; minivm --mode=off
; Nothing is marked: as before there was autoshare.
(defconst TABLE {:a 1})
(assert-error 'isolation-error (take (ractor TABLE)))
(hash-set! TABLE :b 2)
(make-shareable TABLE)
(assert-equal 2 (take (ractor (hash-ref TABLE :b))))
