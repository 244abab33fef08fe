; minivm --policy=first-ractor
; Nothing is marked before there is a ractor, so a table may be filled after its assignment.
(defconst TABLE (hash))
(hash-set! TABLE :x [])
(assert-equal 'B (state TABLE))
(assert-equal {:x []} (take (ractor TABLE)))
(assert-equal '(C C) (list (state TABLE) (state (hash-ref TABLE :x))))
