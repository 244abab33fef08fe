; A copy is a new graph of the same content, in which what was one object still is one.
(defrecord point x y)
(define original
  (list nil t 42 -1 4611686018427387903 1.5 -0.0 'symbol :keyword "text" '(1 . 2) [1 [2]]
        {:key ["value"]} (make-point 1 "two")))
(define twin (copy original))
(assert-equal 4611686018427387903 (vector-ref (copy [4611686018427387903]) 0))
(assert (not (eq? original twin)))
(dotimes (i 13)
  (assert-equal (nth i original) (nth i twin))
  (assert-equal (type-of (nth i original)) (type-of (nth i twin))))
(assert-equal "-0.0" (string (nth 6 twin)))
(define not-a-number (/ 0.0 0.0))
(assert-equal (string not-a-number) (string (copy not-a-number)))
(assert-equal "two" (point-y (nth 13 twin)))
(set-point-y! (nth 13 twin) "three")
(assert-equal "two" (point-y (nth 13 original)))

; Identity and circles.
(define shared "one")
(define twice (copy [shared shared]))
(assert (eq? (vector-ref twice 0) (vector-ref twice 1)))
(assert (not (eq? (vector-ref twice 0) shared)))
(define ring (list 1 2))
(setcdr (cdr ring) ring)
(define ring-copy (copy ring))
(assert-equal 2 (nth 3 ring-copy))
(assert (eq? ring-copy (cdr (cdr ring-copy))))

; Hashes keep their order, their holes are left out, and identity stays what it was.
(define squares (hash))
(dotimes (i 300) (hash-set! squares i (* i i)))
(dotimes (i 100) (hash-remove! squares (* 3 i)))
(define squares-copy (copy squares))
(assert-equal (hash-keys squares) (hash-keys squares-copy))
(assert-equal squares squares-copy)
(assert-equal 1 (hash-ref (copy {"key" 1}) "key"))
(define by-identity (copy (list shared (identity-hash shared 1))))
(assert-equal 1 (hash-ref (nth 1 by-identity) (nth 0 by-identity)))
(assert-equal nil (hash-ref (nth 1 by-identity) shared))
(define of-itself (hash))
(hash-set! of-itself :self of-itself)
(define of-itself-copy (copy of-itself))
(assert (eq? of-itself-copy (hash-ref of-itself-copy :self)))

; What is not copied stays the object that it is.
(define (procedure) 1)
(define counted (hash))
(hash-set-default! counted (lambda (h k) 0))
(define opaques (copy [procedure car make-point (self) counted]))
(assert (eq? procedure (vector-ref opaques 0)))
(assert (eq? car (vector-ref opaques 1)))
(assert (eq? make-point (vector-ref opaques 2)))
(assert (eq? counted (vector-ref opaques 4)))

; To a depth: what lies below is the same object.
(define levels [[["deep"]]])
(assert (eq? (vector-ref levels 0) (vector-ref (copy levels 0) 0)))
(assert (not (eq? (vector-ref levels 0) (vector-ref (copy levels 1) 0))))
(assert (eq? (vector-ref (vector-ref levels 0) 0) (vector-ref (vector-ref (copy levels 1) 0) 0)))

; A copy of what is frozen or shared may be written.
(define frozen (freeze "frozen"))
(string-append! (copy frozen) "!")
(defconst SHARED [1 "text"])
(take (ractor SHARED))
(assert-equal 'C (state SHARED))
(vector-set! (copy SHARED) 0 2)
(assert-equal 1 (vector-ref SHARED 0))

; Other ractors copy too.
(assert-equal [1 "text"] (take (ractor (copy SHARED))))
