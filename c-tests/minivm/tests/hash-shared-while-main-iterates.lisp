; Main iterates over a hash while another ractor shares it. Main counts its iterations in the flag word
; of the hash, by plain stores where the flags are split: neither side may lose what the other notes.
(define rounds (if (gc-stress?) 5 150))

; The reader wins: what it decided stands, whatever main stored meanwhile.
(dotimes (i rounds)
  (let ((table {:a 1 :b 2}))
    (defconst SHARED (list table))
    (let ((reader (ractor (hash-ref (car SHARED) :a))))
      (while (eq? 'A (state SHARED))
        (hash-each table (lambda (key value) value)))
      (assert-equal 1 (take reader))
      (assert-equal 'C (state table))
      (assert (frozen? table))
      (assert-error 'frozen-error (hash-set! table :a 3)))))

; The read fails at its end: the hash is as before, and every iteration over it has ended.
(dotimes (i rounds)
  (let ((table {:a 1 :b 2}))
    (defconst BLOCKED (list table (open-file "/dev/null")))
    (let ((reader (ractor (car BLOCKED))))
      (while (eq? 'A (state BLOCKED))
        (hash-each table (lambda (key value) value)))
      (assert-error 'isolation-error (take reader))
      (assert-equal 'A (state table))
      (hash-set! table :c 3)
      (assert-equal 'B (state table)))))
